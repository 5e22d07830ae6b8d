import type { ApiResponse } from './envelope.js';

const maxEntries = 500;

/**
 * Responses to reads, serialised once, until something is written: a load test is to measure the
 * app, not this.
 */
export interface ResponseCache {
  get: (key: string, make: () => ApiResponse) => ApiResponse;
  clear: () => void;
}

export function createResponseCache(): ResponseCache {
  const responses = new Map<string, ApiResponse>();
  return {
    get(key, make) {
      const known = responses.get(key);
      if (known !== undefined) return known;
      const made = make();
      if (responses.size >= maxEntries) responses.clear();
      responses.set(key, made);
      return made;
    },
    clear: () => responses.clear(),
  };
}

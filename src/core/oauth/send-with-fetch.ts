import { UnavailableError } from '../errors.js';
import type { Send } from './token-endpoint.js';

/** `fetch` follows no redirect and decodes the body, so what is passed on is its text. */
export function sendWithFetch(fetch: typeof globalThis.fetch): Send {
  return async (url, { headers, body, timeoutMs }) => {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers,
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      });
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: await response.text(),
      };
    } catch (cause) {
      const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
      throw new UnavailableError('the token endpoint gave no response', {
        code: timedOut ? 'token_endpoint_timeout' : 'token_endpoint_unreachable',
        status: timedOut ? 504 : 502,
        cause,
      });
    }
  };
}

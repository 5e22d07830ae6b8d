import { KEY_PREFIX } from '../../support/redis-server.js';
import type { Matches } from './redis-proxy.js';

/** Commands as `src/core/storage/redis.ts` sends them; scripts have their key behind the text and the number of keys. */
const on =
  (name: string, prefix: string, length?: number): Matches =>
  (words) =>
    words[0]?.toUpperCase() === name &&
    (words[name === 'EVAL' ? 3 : 1] ?? '').startsWith(KEY_PREFIX + prefix) &&
    (length === undefined || words.length === length);

export const takeLease = on('SET', 'lease:');
export const releaseLease = on('EVAL', 'lease:', 5);
export const noteAttempt = on('SET', 'attempt:');
export const replaceRecord = on('EVAL', 'grant:', 6);
export const removeRecordExactly = on('EVAL', 'grant:', 5);
export const readRecord = on('EVAL', 'grant:', 4); // the value, and what is left of its time

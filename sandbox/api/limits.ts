import type { Response } from 'express';
import type { SandboxContext } from '../context.js';
import { zuluTimestamp } from './data/deterministic.js';
import { failure, type ApiResponse } from './envelope.js';
import type { LimitState, RateLimiter } from './rate-limit.js';

export const isWrite = (method: string): boolean => method !== 'GET';

/** GetBill's hourly limits of reads and writes, as the faults set them. */
export function createLimits({
  faults,
  clock,
  limiter,
}: Pick<SandboxContext, 'faults' | 'clock'> & { limiter: RateLimiter }) {
  return {
    check(method: string, clientId: string, options: { count: boolean }): LimitState {
      const { limitReads, limitWrites, limitWindowS } = faults.current();
      const [kind, limit] = isWrite(method) ? ['write', limitWrites] : ['read', limitReads];
      return limiter.check(`${kind}:${clientId}`, { limit, windowS: limitWindowS }, options);
    },
    refuse(
      res: Response,
      { limit, retryAfterS }: { limit: number; retryAfterS: number },
    ): ApiResponse {
      const resetAtMs = clock() + retryAfterS * 1000;
      res.set({
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Math.ceil(resetAtMs / 1000)),
      });
      const details = { retry_after: retryAfterS, limit, reset_time: zuluTimestamp(resetAtMs) };
      return failure(429, 'Rate limit exceeded. Please try again later.', details);
    },
  };
}

export const limitHeaders = ({
  limit,
  remaining,
  resetAtMs,
  windowS,
}: LimitState): Record<string, string> => ({
  'x-ratelimit-limit': String(limit),
  'x-ratelimit-remaining': String(remaining),
  'x-ratelimit-reset': String(Math.ceil(resetAtMs / 1000)),
  'x-ratelimit-window': String(windowS),
});

import type { Request, RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit as expressRateLimit, type Store } from 'express-rate-limit';
import { RequestError } from '../../errors.js';
import type { Emit } from '../../events.js';
import type { KeyValue } from '../../store/key-value.js';
import { grantIdOf } from '../session.js';

const WINDOW_MS = 60_000;

/** Requests a minute, counted in shared storage. When the storage is down the request fails (503): closed, not open. */
export function rateLimit({
  name,
  perMinute,
  keyOf,
  keyValue,
  emit,
  now,
}: {
  name: string;
  perMinute: number;
  keyOf: (req: Request) => string;
  keyValue: Pick<KeyValue, 'increment' | 'delete'>;
  emit: Emit;
  now: () => number;
}): RequestHandler {
  return expressRateLimit({
    windowMs: WINDOW_MS,
    limit: perMinute,
    keyGenerator: keyOf,
    store: storeOver(keyValue, { prefix: `rate:${name}:`, now }),
    legacyHeaders: false,
    validate: false, // it warns about settings that config.ts has checked already
    handler(req) {
      emit({ type: 'rate_limited', limit: name });
      const resetAtMs = (req as { rateLimit?: { resetTime?: Date } }).rateLimit?.resetTime?.getTime();
      const waitS = resetAtMs === undefined ? 60 : Math.ceil((resetAtMs - now()) / 1000);
      throw new RequestError('too many requests', {
        code: 'rate_limited',
        status: 429,
        retryAfterS: Math.max(1, waitS),
      });
    },
  });
}

/** An IPv6 client owns a whole /64, so that is what is counted. */
export const byAddress = (req: Request): string => ipKeyGenerator(req.ip ?? 'unknown', 64);
export const bySession = (req: Request): string => grantIdOf(req.sessionID);

function storeOver(
  keyValue: Pick<KeyValue, 'increment' | 'delete'>,
  { prefix, now }: { prefix: string; now: () => number },
): Store {
  return {
    localKeys: false,
    async increment(key) {
      const { count, ttlMs } = await keyValue.increment(prefix + key, { ttlMs: WINDOW_MS });
      return { totalHits: count, resetTime: new Date(now() + ttlMs) };
    },
    decrement: () => undefined,
    resetKey: (key) => keyValue.delete(prefix + key),
  };
}

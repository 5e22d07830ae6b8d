import type { Request, RequestHandler, Response } from 'express';
import { ipKeyGenerator, rateLimit as expressRateLimit, type Store } from 'express-rate-limit';
import { RequestError } from '../../errors.js';
import type { Emit } from '../../events.js';
import type { Allowances } from '../../store/allowances.js';

const WINDOW_MS = 60_000;

/** Requests a minute, counted in shared storage. When the storage is down the request fails (503): closed, not open. */
export function rateLimit({
  name,
  perMinute,
  keyOf,
  allowances,
  emit,
  now,
}: {
  name: string;
  perMinute: number;
  keyOf: (req: Request, res: Response) => string;
  allowances: Allowances;
  emit: Emit;
  now: () => number;
}): RequestHandler {
  return expressRateLimit({
    windowMs: WINDOW_MS,
    limit: perMinute,
    keyGenerator: keyOf,
    store: storeOver(allowances, { prefix: `rate:${name}:`, perMinute }),
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
export const bySession = (_req: Request, res: Response): string => res.locals.grantId;

function storeOver(allowances: Allowances, { prefix, perMinute }: { prefix: string; perMinute: number }): Store {
  return {
    localKeys: false,
    async increment(key) {
      const { granted, resetAtMs } = await allowances.spend(prefix + key, { most: perMinute, windowMs: WINDOW_MS });
      return { totalHits: granted ? 1 : perMinute + 1, resetTime: new Date(resetAtMs) };
    },
    decrement: () => undefined,
    resetKey: (key) => allowances.forget(prefix + key),
  };
}

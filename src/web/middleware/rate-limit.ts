import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { ipKeyGenerator } from 'express-rate-limit';
import { RequestError } from '../../errors.js';
import type { Emit } from '../../events.js';
import type { Allowances, Spent } from '../../limits/shared-limits.js';

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
  const limit = { most: perMinute, windowMs: WINDOW_MS };
  function decide({ granted, resetAtMs }: Spent, next: NextFunction): void {
    if (granted) return next();
    emit({ type: 'rate_limited', limit: name });
    throw new RequestError('too many requests', {
      code: 'rate_limited',
      status: 429,
      retryAfterS: Math.max(1, Math.ceil((resetAtMs - now()) / 1000)),
    });
  }
  return function rateLimitMiddleware(req, res, next) {
    const spent = allowances.spend(`rate:${name}:${keyOf(req, res)}`, limit);
    return spent instanceof Promise ? spent.then((later) => decide(later, next)) : decide(spent, next);
  };
}

/** An IPv6 client owns a whole /64, so that is what is counted. */
export const byAddress = (req: Request): string => ipKeyGenerator(req.ip ?? 'unknown', 64);
export const bySession = (_req: Request, res: Response): string => res.locals.grantId;

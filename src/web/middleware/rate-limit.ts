import type { Request, RequestHandler, Response } from 'express';
import { RequestError } from '../../errors.js';
import type { Emit } from '../../events.js';
import type { SharedLimits } from '../../limits/shared-limits.js';
import { addressOf } from '../client-address.js';
import { delayRefusal } from '../delay-refusal.js';

const WINDOW_MS = 60_000;

/**
 * Requests a minute, counted in `limits`. When a shared storage is down the request fails (503):
 * closed, not open.
 */
export function rateLimit({
  name,
  perMinute,
  delaysRefusal = false,
  keyOf,
  limits,
  emit,
}: {
  name: string;
  perMinute: number;
  delaysRefusal?: boolean;
  keyOf: (req: Request, res: Response) => string;
  limits: Pick<SharedLimits, 'consume'>;
  emit: Emit;
}): RequestHandler {
  const limit = { most: perMinute, windowMs: WINDOW_MS };
  return async function rateLimitMiddleware(req, res, next) {
    const { granted, resetInMs } = await limits.consume(
      'rate',
      `${name}:${keyOf(req, res)}`,
      limit,
    );
    if (granted) return next();
    emit({ type: 'rate_limited', limit: name });
    if (delaysRefusal) await delayRefusal();
    throw new RequestError('too many requests', {
      code: 'rate_limited',
      status: 429,
      retryAfterS: Math.max(1, Math.ceil(resetInMs / 1000)),
    });
  };
}

export const byAddress = (req: Request): string => addressOf(req.ip);
export const bySession = (_req: Request, res: Response): string => res.locals.grantId;

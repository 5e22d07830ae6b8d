import type { Request, RequestHandler, Response } from 'express';
import type { Config } from '../../config/config.js';
import { RequestError } from '../../errors.js';
import type { Emit } from '../../events.js';
import type { SharedLimits } from '../../limits/shared-limits.js';
import { addressOf } from '../client-address.js';
import { delayRefusal } from '../delay-refusal.js';

const WINDOW_MS = 60_000;

type Limits = Pick<SharedLimits, 'consume'>;

/** Guards that count requests a minute. Without the storage a request fails (503): closed. */
export function createRateLimits({
  perMinute,
  limits,
  localLimits,
  emit,
}: {
  perMinute: Config['rateLimits'];
  limits: Limits;
  localLimits: Limits;
  emit: Emit;
}) {
  return {
    byAddress: (name: 'login' | 'callback') =>
      rateLimit({ name, most: perMinute[name], keyOf: addressKey, limits, emit }),
    bySession: (name: 'api') =>
      rateLimit({ name, most: perMinute[name], keyOf: sessionKey, limits, emit }),
    /** By session in this process, whose time it bounds: pages are shown while Redis is full. */
    inProcess: (name: 'pages' | 'session' | 'streams') =>
      rateLimit({
        name,
        most: perMinute.pages,
        keyOf: sessionKey,
        limits: localLimits,
        emit,
        delaysRefusal: true,
      }),
  };
}

function rateLimit({
  name,
  most,
  keyOf,
  limits,
  emit,
  delaysRefusal = false,
}: {
  name: string;
  most: number;
  keyOf: (req: Request, res: Response) => string;
  limits: Limits;
  emit: Emit;
  delaysRefusal?: boolean;
}): RequestHandler {
  const limit = { most, windowMs: WINDOW_MS };
  return async function rateLimitMiddleware(req, res, next) {
    const counter = `${name}:${keyOf(req, res)}`;
    const { granted, resetInMs } = await limits.consume('rate', counter, limit);
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

const addressKey = (req: Request): string => addressOf(req.ip);
const sessionKey = (_req: Request, res: Response): string => res.locals.grantId;

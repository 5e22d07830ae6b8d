import type { RequestHandler } from 'express';
import { RequestError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { delayRefusal } from '../delay-refusal.js';

/** More than a browser asks for when it opens its tabs again. */
const MAX_OPEN_PAGES = 32;

/** Limits the pages of one session under way in this process: one costs more than an API call. */
export function pagesAtOnce({ emit }: { emit: Emit }): RequestHandler {
  const open = new Map<string, number>();
  return async function pagesAtOnceMiddleware(_req, res, next) {
    if (res.destroyed) return; // the browser has left: nothing would give its place back
    const { grantId } = res.locals;
    const others = open.get(grantId) ?? 0;
    if (others >= MAX_OPEN_PAGES) {
      emit({ type: 'rate_limited', limit: 'open_pages' });
      await delayRefusal();
      throw new RequestError('too many pages of this session are open', {
        code: 'too_many_open_calls',
        status: 429,
        retryAfterS: 1,
      });
    }
    open.set(grantId, others + 1);
    res.once('close', () => {
      const left = (open.get(grantId) ?? 1) - 1;
      if (left === 0) open.delete(grantId);
      else open.set(grantId, left);
    });
    next();
  };
}

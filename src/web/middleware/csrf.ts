import csurfModule from 'csurf';
import type { RequestHandler } from 'express';
import type { Emit } from '../../events.js';

const csurf = csurfModule as unknown as typeof csurfModule.default;

/**
 * Synchronizer token of the session: writes must carry it in the form body or in `X-CSRF-Token` (a
 * query would leak it), and `req.csrfToken()` gives it to pages. Without a sign-in there is nothing
 * to protect.
 */
export function csrf({ emit }: { emit: Emit }): RequestHandler {
  const protect = csurf({
    sessionKey: 'signedIn', // csurf reads `req.signedIn.csrfSecret`, which sign-in wrote
    value: (req) => {
      const fromBody = (req.body as Record<string, unknown> | undefined)?.['_csrf'];
      const token = req.get('x-csrf-token') ?? fromBody;
      return typeof token === 'string' ? token : '';
    },
  });
  return function csrfMiddleware(req, res, next) {
    if (req.signedIn === undefined) return next();
    protect(req, res, (error?: unknown) => {
      if (error) emit({ type: 'request_refused', reason: 'csrf', route: req.path });
      next(error);
    });
  };
}

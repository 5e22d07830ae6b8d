import csurfModule from 'csurf';
import type { Request, RequestHandler } from 'express';
import type { Emit } from '../../events.js';
import { isSignedIn } from '../session/session.js';

const csurf = csurfModule as unknown as typeof csurfModule.default;

/**
 * Synchronizer token in session mode, from the form body or `X-CSRF-Token` only (a query would leak it). For whoever is
 * not signed in it does nothing: there is nothing to protect, and csurf would create a session for every visitor.
 * `pages` are given `req.csrfToken` for their forms; without them a read has no use for any of it.
 */
export function csrf({ emit, pages }: { emit: Emit; pages: boolean }): RequestHandler {
  const protect = csurf({
    value: (req) => {
      const fromBody = (req.body as Record<string, unknown> | undefined)?.['_csrf'];
      const token = req.get('x-csrf-token') ?? fromBody;
      return typeof token === 'string' ? token : '';
    },
  });
  return function csrfMiddleware(req, res, next) {
    if (!isSignedIn(req) || (!pages && isRead(req))) return next();
    protect(req, res, (error?: unknown) => {
      if (error) emit({ type: 'request_refused', reason: 'csrf', route: req.path });
      next(error);
    });
  };
}

const isRead = ({ method }: Request): boolean => method === 'GET' || method === 'HEAD';

import type { ErrorRequestHandler } from 'express';
import { GrantEndedError } from '../../errors.js';
import type { Cookies } from './cookies.js';
import { destroySession, isSignedIn } from './session.js';

/** A session whose grant is gone is destroyed before the answer leaves, so that the next sign-in starts clean. */
export function sessionEnded({ cookies }: { cookies: Cookies }): ErrorRequestHandler {
  return async function sessionEndedMiddleware(error: unknown, req, res, next) {
    if (error instanceof GrantEndedError && isSignedIn(req)) {
      await destroySession(req);
      if (!res.headersSent) res.clearCookie(cookies.session, cookies.attributes);
    }
    next(error);
  };
}

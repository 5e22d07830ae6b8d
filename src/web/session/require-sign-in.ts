import type { RequestHandler } from 'express';
import { NotSignedInError } from '../../errors.js';
import { grantIdOf } from './session.js';

/** Refuses a request without a session; puts the key of its tokens on `res.locals.grantId`. */
export function requireSignIn(): RequestHandler {
  return function requireSignInMiddleware(req, res, next) {
    if (req.signedIn === undefined) throw new NotSignedInError();
    res.locals.grantId = grantIdOf(req.signedIn.sessionId);
    next();
  };
}

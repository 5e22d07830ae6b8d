import type { RequestHandler } from 'express';
import { NotSignedInError } from '../../errors.js';
import { grantIdOf, isSignedIn } from './session.js';

/** Lets those through who are signed in, and says on `res.locals.grantId` whose tokens are theirs. */
export function signedIn(): RequestHandler {
  return function signedInMiddleware(req, res, next) {
    if (!isSignedIn(req)) throw new NotSignedInError();
    res.locals.grantId = grantIdOf(req.sessionID);
    next();
  };
}

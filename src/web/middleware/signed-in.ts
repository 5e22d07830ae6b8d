import type { RequestHandler } from 'express';
import { NotSignedInError } from '../../errors.js';
import { isSignedIn } from '../session.js';

export function signedIn(): RequestHandler {
  return function signedInMiddleware(req, _res, next) {
    if (!isSignedIn(req)) throw new NotSignedInError();
    next();
  };
}

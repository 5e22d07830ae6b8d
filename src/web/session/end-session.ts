import type { ErrorRequestHandler, Request, Response } from 'express';
import { GrantEndedError } from '../../errors.js';
import type { Cookies } from './cookies.js';
import './session.js';
import type { SessionStore } from './session-store.js';

/**
 * Deletes the session's record, and its cookie where `res` is given; does nothing for whoever is not signed in.
 * `/login` gives none: meanwhile another tab may have signed in, and the cookie would be the one of its session.
 * @throws {StorageError}
 */
export type EndSession = (req: Request, res?: Response) => Promise<void>;

export function createEndSession({
  sessions,
  cookies,
}: {
  sessions: Pick<SessionStore, 'end'>;
  cookies: Cookies;
}): EndSession {
  return async function endSession(req, res) {
    const { signedIn } = req;
    if (signedIn === undefined) return;
    req.signedIn = undefined;
    await sessions.end(signedIn.sessionId);
    if (res?.headersSent === false) res.clearCookie(cookies.session, cookies.attributes);
  };
}

/** A session whose grant is gone is destroyed before the response leaves, so that the next sign-in starts clean. */
export function destroyEndedSession({
  endSession,
}: {
  endSession: EndSession;
}): ErrorRequestHandler {
  return async function destroyEndedSessionMiddleware(error: unknown, req, res, next) {
    if (error instanceof GrantEndedError) await endSession(req, res);
    next(error);
  };
}

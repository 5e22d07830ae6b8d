import type { ErrorRequestHandler, Request, Response } from 'express';
import { AppError, GrantEndedError, GrantRefusedError, StorageError } from '../../errors.js';
import type { Cookies } from './cookies.js';
import './session.js';
import type { SessionStore } from './session-store.js';

/**
 * Deletes the session's record, and its cookie where `res` is given; does nothing for whoever is
 * not signed in. The cookie stays when another request has ended the session: another tab may have
 * signed in since then, and the cookie would be that of its session. `/login` gives no `res`: this
 * request goes on to sign in itself.
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
    const wasThere = await sessions.end(signedIn.sessionId);
    if (wasThere && res?.headersSent === false)
      res.clearCookie(cookies.session, cookies.attributes);
  };
}

/**
 * A session whose grant is gone is destroyed before the response leaves, so that the next sign-in
 * starts clean. Where the storage does not delete it, the session ends at its next use.
 */
export function destroyEndedSession({
  endSession,
  cookies,
  now,
}: {
  endSession: EndSession;
  cookies: Cookies;
  now: () => number;
}): ErrorRequestHandler {
  return async function destroyEndedSessionMiddleware(error: unknown, req, res, next) {
    if (error instanceof GrantEndedError) {
      await endSession(req, res).catch((failure: unknown) => {
        if (!(failure instanceof StorageError)) throw failure;
      });
      res.locals['signedIn'] = false;
      if (wasEndedByGetbill(error)) {
        noteEnd(res, { cookies, nowMs: now() });
        const isAfterSuchAnEnd = res.locals['ended'] !== undefined; // and the first page since then
        if (isAfterSuchAnEnd) return next(endedAtOnce(error));
      }
    }
    next(error);
  };
}

/** No redirect to the sign-in: where GetBill asks for no consent, the browser would loop. */
const endedAtOnce = (cause: GrantEndedError): AppError =>
  new AppError('the grant of a sign-in ended on its first page, as the one before did', {
    code: 'grant_ended_at_once',
    status: 502,
    cause,
  });

/** Whether GetBill ended the grant, or gave no refresh token; else somebody has signed out. */
export const wasEndedByGetbill = (error: GrantEndedError): boolean =>
  error.cause instanceof GrantRefusedError || error.reason === 'no_refresh_token';

const NOTE_MS = 600_000;

/** Lets the first page after a new sign-in say why the visitor was sent to GetBill. */
export function noteEnd(
  res: Response,
  { cookies, nowMs }: { cookies: Cookies; nowMs: number },
): void {
  if (res.headersSent) return;
  res.cookie(cookies.ended, String(nowMs), { ...cookies.attributes, maxAge: NOTE_MS });
}

import { unsign } from 'cookie-signature';
import type { Request, RequestHandler } from 'express';
import { cookiesOf } from './cookies.js';
import './session.js';
import type { SessionStore } from './session-store.js';

/**
 * Reads the session of every request, and never writes one: the id from the signed cookie, its
 * record from the store, and a touch when one is due. Sessions are made by express-session
 * ({@link makeSession}) in the one place where that happens; mounted here it would cost a third of
 * an API call.
 */
export function readSession({
  sessions,
  secrets,
  cookieName,
}: {
  sessions: Pick<SessionStore, 'read' | 'touchIfDue'>;
  secrets: readonly string[];
  cookieName: string;
}): RequestHandler {
  return async function readSessionMiddleware(req, _res, next) {
    req.signedIn = undefined;
    const sessionId = signedId(req, { secrets, cookieName });
    const session = sessionId === undefined ? undefined : await sessions.read(sessionId);
    if (sessionId !== undefined && session !== undefined) {
      const { signedInAtMs, csrfSecret } = session;
      req.signedIn = { sessionId, signedInAtMs, csrfSecret };
      sessions.touchIfDue(sessionId, session);
    }
    next();
  };
}

/**
 * As express-session writes it: "s:", the id, a signature by the first secret; any of the secrets
 * may have signed it.
 */
export function signedId(
  req: Request,
  { secrets, cookieName }: { secrets: readonly string[]; cookieName: string },
): string | undefined {
  for (const value of cookiesOf(req, cookieName)) {
    if (!value.startsWith('s:')) continue;
    for (const secret of secrets) {
      const id = unsign(value.slice(2), secret);
      if (id !== false) return id;
    }
  }
  return undefined;
}

import { unsign } from 'cookie-signature';
import type { Request, RequestHandler } from 'express';
import type { SessionData, Store } from 'express-session';
import { cookieOf } from '../cookies.js';

/**
 * The session for `/api`, which reads it and never writes it: one read of the store, a touch when one is due. What
 * express-session prepares for a write (hashes before and after, hooks into the answer) is left out.
 */
export function sessionView({
  sessions,
  secrets,
  cookieName,
}: {
  sessions: Store;
  secrets: readonly string[];
  cookieName: string;
}): RequestHandler {
  return async function sessionViewMiddleware(req, _res, next) {
    const id = signedId(req, { secrets, cookieName });
    const found = id === undefined ? undefined : await read(sessions, id);
    if (id !== undefined && found) {
      req.sessionID = id;
      req.sessionStore = sessions as Request['sessionStore']; // lacks only what makes new ones
      sessions.touch?.(id, sessions.createSession(req, found));
    }
    next();
  };
}

/** As express-session writes it: "s:", the id, a signature by the first secret; any of the secrets may have signed it. */
function signedId(
  req: Request,
  { secrets, cookieName }: { secrets: readonly string[]; cookieName: string },
): string | undefined {
  const value = cookieOf(req, cookieName);
  if (value?.startsWith('s:') !== true) return undefined;
  for (const secret of secrets) {
    const id = unsign(value.slice(2), secret);
    if (id !== false) return id;
  }
  return undefined;
}

const read = (sessions: Store, id: string): Promise<SessionData | null | undefined> =>
  new Promise((resolve, reject) => {
    sessions.get(id, (error?: Error | null, session?: SessionData | null) => {
      if (error) reject(error);
      else resolve(session);
    });
  });

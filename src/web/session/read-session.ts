import { unsign } from 'cookie-signature';
import type { Request, RequestHandler } from 'express';
import type { SessionData, Store } from 'express-session';
import { cookieOf } from './cookies.js';

/**
 * The session for `/api`, which reads it and never writes it: one read of the store, a touch when one is due. What
 * express-session prepares for a write (methods, hashes before and after, hooks into the answer) is left out.
 */
export function sessionView({
  sessions,
  secrets,
  cookieName,
}: {
  sessions: Store & { read(id: string): Promise<SessionData | undefined> };
  secrets: readonly string[];
  cookieName: string;
}): RequestHandler {
  return async function sessionViewMiddleware(req, _res, next) {
    const id = signedId(req, { secrets, cookieName });
    const session = id === undefined ? undefined : await sessions.read(id);
    if (id !== undefined && session !== undefined) {
      req.sessionID = id;
      req.sessionStore = sessions as unknown as Request['sessionStore']; // lacks only what makes new ones
      req.session = session as Request['session']; // the data alone
      sessions.touch?.(id, session);
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

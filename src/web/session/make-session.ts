import type { RequestHandler } from 'express';
import session from 'express-session';
import type { Cookies } from './cookies.js';
import type { SessionStore } from './session-store.js';

/**
 * express-session over connect-redis, for the callback alone: it makes the session id, signs its
 * cookie and writes the record. All other requests only read (`readSession`).
 */
export function makeSession({
  sessions,
  secrets,
  cookies,
}: {
  sessions: SessionStore;
  secrets: readonly string[];
  cookies: Cookies;
}): RequestHandler {
  return session({
    store: sessions,
    secret: [...secrets],
    name: cookies.session,
    cookie: cookies.attributes, // no maxAge: the store decides how long a session lives
    rolling: false,
    resave: false,
    saveUninitialized: false,
  });
}

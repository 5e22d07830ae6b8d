import type { RequestHandler } from 'express';
import type { Config } from '../../config/config.js';
import { NotSignedInError, RequestError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { isForeignSite } from '../request-kind.js';
import type { SessionStore } from '../session/session-store.js';

/** For front ends: whether somebody is signed in, and the CSRF token. Same origin only. */
export function showSession({
  session,
  sessions,
  emit,
  now,
}: Pick<Config, 'session'> & {
  sessions: Pick<SessionStore, 'renewIdleTime'>;
  emit: Emit;
  now: () => number;
}): RequestHandler {
  return async function showSessionHandler(req, res) {
    if (isForeignSite(req)) {
      emit({ type: 'request_refused', reason: 'foreign_origin', route: '/session' });
      throw new RequestError('the request comes from another site', {
        code: 'foreign_origin',
        status: 403,
      });
    }
    if (req.signedIn === undefined) throw new NotSignedInError();
    const { sessionId, signedInAtMs } = req.signedIn;
    const { leftMs } = await sessions.renewIdleTime(sessionId, { signedInAtMs });
    const { scopes, scopesAssumed = false } = res.locals.tokenSet;
    const expiresAtMs = signedInAtMs + session.maxMs;
    res.json({
      signedIn: true,
      scopes,
      scopesAssumed, // GetBill has not said what it granted: any of them may still be refused
      csrfToken: req.csrfToken(),
      idleExpiresAt: new Date(Math.min(now() + leftMs, expiresAtMs)).toISOString(),
      expiresAt: new Date(expiresAtMs).toISOString(),
    });
  };
}

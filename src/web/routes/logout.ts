import type { RequestHandler } from 'express';
import type { TokenManager } from '../../core/tokens/token-manager.js';
import type { Cookies } from '../session/cookies.js';
import type { EndSession } from '../session/end-session.js';
import { grantIdOf } from '../session/session.js';

const NOTE_MS = 60_000;

/**
 * Deletes the tokens, then the session, then the cookies; GetBill is told in the background.
 * Without a session it only redirects.
 */
export function signOut({
  cookies,
  endSession,
  tokens,
  caches,
}: {
  cookies: Cookies;
  endSession: EndSession;
  tokens: Pick<TokenManager, 'forget'>;
  /** What is kept for pages, by grant. */
  caches: readonly { forget(grantId: string): void }[];
}): RequestHandler {
  return async function signOutHandler(req, res) {
    if (req.signedIn !== undefined) {
      const grantId = grantIdOf(req.signedIn.sessionId);
      await tokens.forget(grantId, 'signed_out');
      await endSession(req);
      for (const cache of caches) cache.forget(grantId);
      res.clearCookie(cookies.session, cookies.attributes); // also for the second of two clicks
      res.clearCookie(cookies.login, cookies.attributes);
      res.cookie(cookies.signedOut, '1', { ...cookies.attributes, maxAge: NOTE_MS });
      res.set('Clear-Site-Data', '"storage"');
    }
    res.redirect(303, '/');
  };
}

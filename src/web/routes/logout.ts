import type { Router } from 'express';
import type { TokenManager } from '../../core/tokens/token-manager.js';
import type { Cookies } from '../session/cookies.js';
import { destroySession, grantIdOf, isSignedIn } from '../session/session.js';
import { createRouter } from '../create-router.js';

const NOTE_MS = 60_000;

/** Record first, then session, then cookies; GetBill is told in the background. Without a session nothing is created. */
export function logoutRoute({
  cookies,
  tokens,
  forgetPages,
}: {
  cookies: Cookies;
  tokens: Pick<TokenManager, 'forget'>;
  /** Drops what our own pages have cached for the grant. */
  forgetPages: (grantId: string) => void;
}): Router {
  const router = createRouter();
  router.post('/logout', async (req, res) => {
    if (isSignedIn(req)) {
      const grantId = grantIdOf(req.sessionID);
      await tokens.forget(grantId, 'signed_out');
      await destroySession(req);
      forgetPages(grantId);
      res.clearCookie(cookies.session, cookies.attributes);
      res.clearCookie(cookies.login, cookies.attributes);
      res.cookie(cookies.signedOut, '1', { ...cookies.attributes, maxAge: NOTE_MS });
      res.set('Clear-Site-Data', '"storage"');
    }
    res.redirect(303, '/');
  });
  return router;
}

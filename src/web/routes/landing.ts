import type { Router } from 'express';
import { cookieOf, type Cookies } from '../session/cookies.js';
import { describeScope } from '../pages/scope-texts.js';
import { renderPage } from '../render-page.js';
import { createRouter } from '../create-router.js';

export function landingRoute({ cookies, scopes }: { cookies: Cookies; scopes: readonly string[] }): Router {
  const router = createRouter();
  const asked = scopes.map((name) => ({ name, text: describeScope(name) }));
  router.get('/', (req, res) => {
    const signedOut = cookieOf(req, cookies.signedOut) !== undefined;
    if (signedOut) res.clearCookie(cookies.signedOut, cookies.attributes);
    renderPage(res, 'landing', { title: 'GetBill Connect', signedOut, scopes: asked });
  });
  return router;
}

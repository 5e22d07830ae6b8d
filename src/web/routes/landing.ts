import type { RequestHandler } from 'express';
import { cookieOf, type Cookies } from '../session/cookies.js';
import { describeScope } from '../pages/scope-texts.js';
import { renderPage } from '../render-page.js';

/** Says what the app does and what it will ask for. */
export function showLanding({
  cookies,
  scopes,
}: {
  cookies: Cookies;
  scopes: readonly string[];
}): RequestHandler {
  const asked = scopes.map((name) => ({ name, text: describeScope(name) }));
  return function showLandingHandler(req, res) {
    const signedOut = cookieOf(req, cookies.signedOut) !== undefined;
    if (signedOut) res.clearCookie(cookies.signedOut, cookies.attributes);
    renderPage(res, 'landing', { title: 'GetBill Connect', signedOut, scopes: asked });
  };
}

import type { Router } from 'express';
import { cookieOf, type Cookies } from '../cookies.js';
import { renderPage } from '../render-page.js';
import { createRouter } from '../create-router.js';

export function landingRoute({ cookies }: { cookies: Cookies }): Router {
  const router = createRouter();
  router.get('/', (req, res) => {
    const signedOut = cookieOf(req, cookies.signedOut) !== undefined;
    if (signedOut) res.clearCookie(cookies.signedOut, cookies.attributes);
    renderPage(res, 'landing', { title: 'GetBill Connect', signedOut });
  });
  return router;
}

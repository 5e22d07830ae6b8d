import { Router } from 'express';
import { cookieOf, type Cookies } from '../cookies.js';
import { renderPage } from '../render-page.js';

export function landingRoute({ cookies }: { cookies: Cookies }): Router {
  const router = Router();
  router.get('/', (req, res) => {
    const signedOut = cookieOf(req, cookies.signedOut) !== undefined;
    if (signedOut) res.clearCookie(cookies.signedOut, cookies.attributes);
    renderPage(res, 'landing', { title: 'GetBill Connect', signedOut });
  });
  return router;
}

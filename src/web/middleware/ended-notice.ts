import type { RequestHandler } from 'express';
import { cookieOf, type Cookies } from '../session/cookies.js';
import { safeReturnTo } from '../return-to.js';

/** The first page after a new sign-in says, once, that GetBill had ended the connection before. */
export function endedNotice({ cookies }: { cookies: Cookies }): RequestHandler {
  return function endedNoticeMiddleware(req, res, next) {
    const noted = cookieOf(req, cookies.ended);
    const isPage = req.method === 'GET' && safeReturnTo(req.path) === req.path;
    if (noted !== undefined && req.signedIn !== undefined && isPage) {
      res.clearCookie(cookies.ended, cookies.attributes);
      if (/^\d{13}$/.test(noted)) {
        res.locals['ended'] = res.locals.formats.time(new Date(Number(noted)));
        res.locals.above = [...(res.locals.above ?? []), 'partials/ended'];
      }
    }
    next();
  };
}

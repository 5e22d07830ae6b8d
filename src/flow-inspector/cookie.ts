import { hash, randomBytes } from 'node:crypto';
import type { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestHandler } from 'express';
import type { RequestContext } from '../events.js';
import { cookieOf, type Cookies } from '../web/session/cookies.js';

const KEPT_MS = 3_600_000;
const SHAPE = /^[\w-]{43}$/;

/**
 * While the flow inspector is on: `/login` marks the browser with a cookie of its own, and the events of its requests
 * carry the mark. Not the session's cookie: a denied consent has no session, and a sign-out ends it.
 */
export function flowCookie({
  context,
  cookies,
}: {
  context: AsyncLocalStorage<RequestContext>;
  cookies: Cookies;
}): RequestHandler {
  return function flowCookieMiddleware(req, res, next) {
    let value = cookieOf(req, cookies.flow);
    if (value !== undefined && !SHAPE.test(value)) value = undefined;
    if (value === undefined && req.path === '/login') {
      value = randomBytes(32).toString('base64url');
      res.cookie(cookies.flow, value, { ...cookies.attributes, maxAge: KEPT_MS });
    }
    const current = context.getStore();
    if (value !== undefined && current !== undefined) {
      current.flow = hash('sha256', value, 'base64url');
    }
    next();
  };
}

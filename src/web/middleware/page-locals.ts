import type { RequestHandler } from 'express';
import { isSignedIn } from '../session/session.js';

const NAVIGATION = [
  { href: '/dashboard', label: 'Dashboard' },
  { href: '/debts', label: 'Debts' },
  { href: '/connection', label: 'Connection' },
  { href: '/flow', label: 'Flow' },
];

/** What the layout needs on every page: who is here, and the token of the sign-out form. */
export function pageLocals({ flowInspector }: { flowInspector: boolean }): RequestHandler {
  return function pageLocalsMiddleware(req, res, next) {
    res.locals['path'] = req.path;
    res.locals['nav'] = NAVIGATION;
    res.locals['flowInspector'] = flowInspector;
    res.locals['signedIn'] = isSignedIn(req);
    res.locals['csrfToken'] = isSignedIn(req) ? req.csrfToken() : undefined;
    next();
  };
}

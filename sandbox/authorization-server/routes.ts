import { Router, type ErrorRequestHandler, type Request, type Response } from 'express';
import { respondWith, respondWithPage } from '../respond.js';
import { readAndRecord, unread } from '../bodies.js';
import type { SandboxContext } from '../context.js';
import { pageHeaders, type RenderPage } from '../pages.js';
import { createConsentRouter, type ConsentDeps } from './consent.js';
import { interactionPath } from './configuration.js';
import type { AuthorizationServer } from './provider.js';

export interface OAuthRoutesDeps extends SandboxContext {
  server: AuthorizationServer;
  companies: ConsentDeps['companies'];
  renderPage: RenderPage;
}

/**
 * GetBill's pages name both /oauth/token and /token; both are served, and the same for authorize.
 */
export function createOAuthRouter(deps: OAuthRoutesDeps): Router {
  const { server, companies, appUrl, renderPage, faults, counters, recorder } = deps;
  const callback = server.provider.callback();
  const router = Router();
  const record = readAndRecord({ recorder });
  const queryOf = (req: Request) =>
    req.url.includes('?') ? req.url.slice(req.url.indexOf('?')) : '';
  const pass = (req: Request, res: Response, path: string) =>
    callback(unread(req, `${path}${queryOf(req)}`), res);

  router.post(['/oauth/token', '/token'], record, (req, res) => pass(req, res, '/oauth/token'));
  router.post('/oauth/revoke', record, (req, res, next) => {
    if (!faults.current().revocation) return next();
    counters().revokeCalls += 1;
    const fault = faults.take('revokeFault');
    if (fault?.mode === 'hang') return;
    if (fault?.mode === 'status') return respondWith(res, fault);
    if (fault?.mode === 'html') return respondWithPage(res, fault.status);
    return pass(req, res, '/oauth/revoke');
  });

  router.get(['/oauth/authorize', '/authorize'], record, pageHeaders(), (req, res) => {
    counters().authorize += 1;
    return pass(req, res, '/oauth/authorize');
  });
  router.get('/oauth/authorize/:uid', record, pageHeaders(), (req, res) =>
    pass(req, res, req.path),
  );
  router.use(
    interactionPath,
    record,
    pageHeaders(),
    createConsentRouter({ server, companies, appUrl, renderPage }),
  );
  router.use(interactionPath, expiredSignIn(renderPage));
  return router;
}

function expiredSignIn(renderPage: RenderPage): ErrorRequestHandler {
  return async function expiredSignInMiddleware(error: unknown, _req, res, next) {
    if (!(error instanceof Error) || error.name !== 'SessionNotFound') return next(error);
    const description =
      'This sign-in page has expired or was already used. Go back to the app and sign in again.';
    res
      .status(400)
      .type('html')
      .send(await renderPage('error', { code: 'sign_in_expired', description }));
  };
}

import type { Router } from 'express';
import type { Config } from '../../config/config.js';
import { RequestError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { createRouter } from '../create-router.js';

/** For front ends: who is signed in, and the CSRF token for writes. Same origin only; never cached. */
export function sessionRoute({
  session,
  emit,
  now,
}: Pick<Config, 'session'> & { emit: Emit; now: () => number }): Router {
  const router = createRouter();
  router.get('/session', (req, res) => {
    if (!['same-origin', 'none'].includes(req.get('sec-fetch-site') ?? 'same-origin')) {
      emit({ type: 'request_refused', reason: 'foreign_origin', route: '/session' });
      throw new RequestError('the request comes from another site', { code: 'foreign_origin', status: 403 });
    }
    const expiresAtMs = (req.session.signedInAtMs ?? now()) + session.maxMs;
    res.json({
      signedIn: true,
      scopes: res.locals.tokenSet.scopes,
      csrfToken: req.csrfToken(),
      idleExpiresAt: new Date(Math.min(now() + session.idleMs, expiresAtMs)).toISOString(),
      expiresAt: new Date(expiresAtMs).toISOString(),
    });
  });
  return router;
}

import express, { Router, type ErrorRequestHandler, type RequestHandler } from 'express';
import { z } from 'zod';
import type { Faults } from '../faults.js';
import { panelState } from '../panel.js';
import type { Control } from './control.js';
import { ownPagesOnly } from './guards.js';

const redirectUriBody = z.strictObject({ uri: z.string() });
const texts = z.array(z.string()).optional();
const clientBody = z.strictObject({
  active: z.boolean().optional(),
  secrets: texts,
  scopes: texts,
});

/** /_sandbox: the control API. Every change responds with the new state. */
export function createControlRouter({
  control,
  origin,
  port,
  onLimitsChanged,
  webhookRouter,
}: {
  control: Control;
  origin: string;
  port: number;
  onLimitsChanged: () => Promise<void>;
  webhookRouter: Router;
}): Router {
  const router = Router();
  const change = (apply: (body: unknown) => void): RequestHandler => {
    return function changeMiddleware(req, res) {
      apply(req.body);
      res.json(control.state());
    };
  };
  const changeLimits = (apply: (body: unknown) => void): RequestHandler => {
    return async function changeLimitsMiddleware(req, res) {
      apply(req.body);
      await onLimitsChanged();
      res.json(control.state());
    };
  };
  const setFaults = (body: unknown): void => control.set(body as Partial<Faults>);
  const faultsHandler: RequestHandler = (req, res, next) => {
    const namesLimits = Object.keys((req.body ?? {}) as object).some((name) =>
      /^limit(Reads|Writes|WindowS)$/.test(name),
    );
    return (namesLimits ? changeLimits : change)(setFaults)(req, res, next);
  };

  router.use(ownPagesOnly({ origin, port }), express.json({ limit: '1mb' }));
  router.use('/webhooks', webhookRouter);
  router.get('/state', (_req, res) => res.json(control.state()));
  router.get('/panel', (_req, res) => res.json(panelState(control)));
  router.route('/faults').put(faultsHandler).patch(faultsHandler);
  router.post('/expire-access-tokens', change(control.expireAccessTokens));
  router.post('/revoke-grants', change(control.revokeGrants));
  router.post('/reset', changeLimits(control.startAfresh));
  router.post('/release', change(control.release));
  router.post(
    '/redirect-uris',
    change((body) => control.addRedirectUri(redirectUriBody.parse(body).uri)),
  );
  router.post(
    '/client',
    change((body) => {
      const { active, secrets, scopes } = clientBody.parse(body);
      if (secrets !== undefined) control.setClientSecrets(secrets);
      if (active !== undefined) control.setClientActive(active);
      if (scopes !== undefined) control.setClientScopes(scopes);
    }),
  );
  router.use((_req, res) => void res.status(404).json({ error: 'no such operation' }));
  router.use(badRequest());
  return router;
}

function badRequest(): ErrorRequestHandler {
  return function badRequestMiddleware(error: unknown, _req, res, next) {
    if (error instanceof z.ZodError) {
      const texts = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
      return res.status(400).json({ error: texts.join('; ') });
    }
    if (!(error instanceof Error)) return next(error);
    res.status(400).json({ error: error.message });
  };
}

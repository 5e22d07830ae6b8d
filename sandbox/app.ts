import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { inspect } from 'node:util';
import { companyProfiles, makeCompanies } from './api/data/companies.js';
import { createApiHandler } from './api/handler.js';
import { createRateLimiter } from './api/rate-limit.js';
import { createAuthorizationServer } from './authorization-server/provider.js';
import { createOAuthRouter } from './authorization-server/routes.js';
import { bodyOf, readAndRecord } from './bodies.js';
import type { SandboxContext } from './context.js';
import { createControl, type Control } from './control/control.js';
import { createControlRouter } from './control/routes.js';
import { panelState } from './panel.js';
import { buttonOf, experiments } from './experiments.js';
import { mismatchOf } from './redirect-mismatch.js';
import { createRenderPage, pageHeaders, publicFolder } from './pages.js';
import { createWebhookRouter } from './webhooks/routes.js';

export interface AppDeps extends SandboxContext {
  port: number;
  resetCounters: () => void;
  resetWebhooks: () => void;
  onLimitsChanged: () => Promise<void>;
}

/**
 * Builds the sandbox's app around one authorization server and one set of data; listens to nothing.
 */
export async function createApp(deps: AppDeps): Promise<{ app: Express; control: Control }> {
  const { origin, port, appUrl, clock, recorder, resetCounters } = deps;
  const app = express().disable('x-powered-by').disable('etag');
  const renderPage = createRenderPage({ app, appUrl });
  const server = await createAuthorizationServer({
    ...deps,
    companyId: companyProfiles[0].id,
    rawBodyOf: (req) => bodyOf(req).toString('utf8'),
    renderError: ({ sentRedirectUri, ...error }) =>
      renderPage('error', {
        ...error,
        mismatch: mismatchOf(sentRedirectUri, deps.client.redirectUris),
      }),
  });
  const { grants } = server;
  let companies: ReturnType<typeof makeCompanies> | undefined;
  const limiter = createRateLimiter({ clock });
  const control = createControl({
    ...deps,
    grants,
    resetCounters() {
      resetCounters();
      limiter.reset();
    },
    resetData() {
      companies = undefined;
      deps.resetWebhooks();
    },
  });

  app.use(sandboxDate({ clock }));
  app.get('/healthz', (_req, res) => res.json({ status: 'ok' }));
  app.use(
    '/external-api/v1',
    readAndRecord({ recorder }),
    createApiHandler({
      ...deps,
      grants,
      companies: () => (companies ??= makeCompanies(clock())),
      limiter,
    }),
  );
  const webhookRouter = createWebhookRouter({
    sender: deps.webhooks,
    exampleDebtId: () => {
      companies ??= makeCompanies(clock());
      return [...companies[0].debts.keys()][0] ?? '';
    },
  });
  app.use(
    '/_sandbox',
    createControlRouter({
      control,
      origin,
      port,
      onLimitsChanged: deps.onLimitsChanged,
      webhookRouter,
    }),
  );
  app.use(createOAuthRouter({ ...deps, server, companies: companyProfiles, renderPage }));
  app.use(pageHeaders(), express.static(publicFolder));
  app.get('/', async (_req, res) => {
    const { clientId, secrets } = deps.client;
    const environment = [
      `GETBILL_BASE_URL=${origin}`,
      `GETBILL_CLIENT_ID=${clientId}`,
      `GETBILL_CLIENT_SECRET=${secrets[0] ?? ''}`,
    ].join('\n');
    const html = await renderPage('home', {
      origin,
      experiments,
      environment,
      state: panelState(control),
      deliveries: deps.webhooks.deliveries().slice(0, 20),
      buttonOf,
    });
    res.type('html').send(html);
  });
  app.use(async (req, res) => {
    res
      .status(404)
      .type('html')
      .send(await renderPage('error', { code: 'not_found', description: req.path }));
  });
  app.use(unexpected());
  return { app, control };
}

/** The `Date` of every response by the sandbox's clock. */
function sandboxDate({ clock }: Pick<SandboxContext, 'clock'>): RequestHandler {
  return function sandboxDateMiddleware(_req, res, next) {
    res.set('date', new Date(clock()).toUTCString());
    next();
  };
}

function unexpected(): ErrorRequestHandler {
  return function unexpectedMiddleware(error: unknown, _req, res, next) {
    if (res.headersSent || res.destroyed) return next(error);
    process.stderr.write(`sandbox: ${inspect(error)}\n`);
    res.status(500).json({ error: true, message: 'The sandbox itself failed', code: 500 });
  };
}

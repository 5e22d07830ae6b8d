import { fileURLToPath } from 'node:url';
import type { Express, RequestHandler } from 'express';
import { RequestError } from './errors.js';
import { mountExplorer } from './explorer/explorer.js';
import { mountFlowInspector } from './flow-inspector/flow-inspector.js';
import type { Services } from './services.js';
import { mountTour } from './tour/tour.js';
import { assets } from './web/assets.js';
import { createExpress } from './web/create-express.js';
import './web/locals.js';
import { allowedMethods } from './web/middleware/allowed-methods.js';
import { commonHeaders } from './web/middleware/common-headers.js';
import { csrf } from './web/middleware/csrf.js';
import { endedNotice } from './web/middleware/ended-notice.js';
import { errorPage } from './web/middleware/error-page.js';
import { formBody } from './web/middleware/form-body.js';
import { navigationOnly } from './web/middleware/navigation-only.js';
import { noPrefetch } from './web/middleware/no-prefetch.js';
import { oneHost } from './web/middleware/one-host.js';
import { pagesAtOnce } from './web/middleware/pages-at-once.js';
import { pageLocals } from './web/middleware/page-locals.js';
import { createRateLimits } from './web/middleware/rate-limit.js';
import { requestId } from './web/middleware/request-id.js';
import { requestLog } from './web/middleware/request-log.js';
import { requireHttps } from './web/middleware/require-https.js';
import { routeName } from './web/middleware/route-name.js';
import { sameOrigin } from './web/middleware/same-origin.js';
import { tokenRefresh } from './web/middleware/token-refresh.js';
import { listRoutes } from './web/route-list.js';
import { callApi, readBody } from './web/routes/api.js';
import { showConnection } from './web/routes/connection.js';
import { showDashboard } from './web/routes/dashboard.js';
import { listDebts, showDebt } from './web/routes/debts.js';
import { forgetLimits } from './web/routes/demo.js';
import { listErrors, showError } from './web/routes/errors.js';
import { reportHealth, reportReadiness } from './web/routes/health.js';
import { showLanding } from './web/routes/landing.js';
import { startSignIn } from './web/routes/login.js';
import { signOut } from './web/routes/logout.js';
import { showMetrics } from './web/routes/metrics.js';
import { completeSignIn } from './web/routes/oauth-callback.js';
import { showSession } from './web/routes/session.js';
import { createCookies } from './web/session/cookies.js';
import { createEndSession, destroyEndedSession } from './web/session/end-session.js';
import { makeSession } from './web/session/make-session.js';
import { readSession } from './web/session/read-session.js';
import { requireSignIn } from './web/session/require-sign-in.js';
import { createStartSession } from './web/session/start-session.js';
import { mountWebhooks } from './webhooks/mount-webhooks.js';

const root = (folder: string): string => fileURLToPath(new URL(`../${folder}`, import.meta.url));

/**
 * The table of routes, in the order in which a request meets them: path, guards, handler. A new
 * page is a line here, its row in `web/pages/pages.ts`, a handler and a view.
 */
export function createApp(
  services: Services,
  { isReady }: { isReady: () => Promise<boolean> },
): Express {
  const { config, log, emit, context, limits, quota, forward, sessions, tokens } = services;
  const { publicUrl } = config;
  const cookies = createCookies(config);
  const secrets = config.session.secrets.reveal();
  const { scopes } = config.getbill;
  const access = { tokens, facts: services.facts };
  const page = { forward, access, marginMs: config.refreshMarginMs, now: services.now };
  const startSession = createStartSession({ ...services, session: config.session });
  const endSession = createEndSession({ sessions, cookies });
  const limit = createRateLimits({ ...services, perMinute: config.rateLimits });

  const app = createExpress(config);
  const routes = listRoutes(app, { getOnly: ['/login', '/oauth/callback', '/session'] });

  // Every request
  app.use(requestId(services));
  const flowInspector = mountFlowInspector(app, services);
  app.use(requestLog({ log, context, emit }), routeName(routes), commonHeaders(config), oneHost());

  // For machines: without a session, over http too
  const webhooks = mountWebhooks(app, services);
  app.get('/healthz', reportHealth());
  app.get('/readyz', reportReadiness({ isReady }));
  if (config.metricsToken)
    app.get('/metrics', showMetrics({ ...services, token: config.metricsToken }));
  if (config.flowInspector) app.post('/demo/forget-limits', forgetLimits({ quota, limits }));
  app.use('/assets', assets(root('public')));

  // For browsers: who is signed in, and nothing that another site makes them send
  app.use(requireHttps(config), allowedMethods(routes));
  app.use(readSession({ sessions, secrets, cookieName: cookies.session }));
  app.use(sameOrigin({ publicUrl, emit }));
  app.use('/logout', formBody());
  const tour = mountTour(app, services);
  const explorer = mountExplorer(app, services);
  app.use(csrf({ emit }));

  // Signed in: the API
  const isSignedIn = requireSignIn();
  const hasFreshToken = tokenRefresh(access);
  const mayCall = [isSignedIn, limit.bySession('api'), hasFreshToken, readBody(services)];
  app.use('/api', ...mayCall, callApi({ forward, access }));
  const maySee = [isSignedIn, limit.inProcess('session'), hasFreshToken];
  app.get('/session', ...maySee, showSession({ ...services, session: config.session }));

  // Signing in and out
  app.use(pageLocals(config), endedNotice({ cookies }));
  const personOnly = [noPrefetch(), navigationOnly({ emit })];
  const mayStart = [...personOnly, limit.byAddress('login')];
  const signInDeps = { ...services, publicUrl, scopes, secrets, cookies, startSession, endSession };
  app.get('/login', ...mayStart, startSignIn(signInDeps));
  const mayReturn = [
    ...personOnly,
    limit.byAddress('callback'),
    makeSession({ sessions, secrets, cookies }),
  ];
  app.get('/oauth/callback', ...mayReturn, completeSignIn(signInDeps));
  const mayLook = [isSignedIn, pagesAtOnce({ emit }), limit.inProcess('pages')];
  webhooks.addPages({ mayFollow: [isSignedIn, limit.inProcess('streams')], mayOpen: mayLook });
  const caches = [services.profiles, services.figures];
  app.post('/logout', signOut({ cookies, endSession, tokens, caches }));

  // Pages
  app.get('/', showLanding({ cookies, scopes }));
  app.get('/errors', listErrors());
  app.get('/errors/:code', showError());
  flowInspector.addPages();
  tour.addPages({ signedIn: [isSignedIn, hasFreshToken], access });
  const mayOpen = [...mayLook, hasFreshToken];
  explorer.addPages({ access, mayOpen, mayCall });
  app.get('/dashboard', ...mayOpen, showDashboard({ ...services, ...page }));
  app.get('/debts', ...mayOpen, listDebts({ ...services, ...page }));
  app.get('/debts/:id', ...mayOpen, showDebt(page));
  app.get('/connection', ...mayOpen, showConnection({ ...page, tokens, quota, asked: scopes }));

  app.use(noSuchPath());
  app.use(
    destroyEndedSession({ endSession, cookies, now: services.now }),
    errorPage({ log, context, publicUrl, developerPages: config.developerPages }),
  );
  return app;
}

function noSuchPath(): RequestHandler {
  return function noSuchPathMiddleware() {
    throw new RequestError('no such path', { code: 'not_found', status: 404 });
  };
}

import { fileURLToPath } from 'node:url';
import express, { type Express } from 'express';
import session from 'express-session';
import { RequestError } from './errors.js';
import type { Services } from './services.js';
import { createCommonHeaders } from './web/common-headers.js';
import { createCookies } from './web/session/cookies.js';
import { createRouter } from './web/create-router.js';
import './web/locals.js';
import { allowedMethods } from './web/middleware/allowed-methods.js';
import { csrf } from './web/middleware/csrf.js';
import { errorPage } from './web/middleware/error-page.js';
import { flowCookie } from './flow-inspector/cookie.js';
import { formBody } from './web/middleware/form-body.js';
import { navigationOnly } from './web/middleware/navigation-only.js';
import { oneAtATime } from './web/middleware/one-at-a-time.js';
import { noPrefetch } from './web/middleware/no-prefetch.js';
import { pageLocals } from './web/middleware/page-locals.js';
import { byAddress, bySession, rateLimit } from './web/middleware/rate-limit.js';
import { requestId } from './web/middleware/request-id.js';
import { requestLog } from './web/middleware/request-log.js';
import { routeName } from './web/middleware/route-name.js';
import { sameOrigin } from './web/middleware/same-origin.js';
import { secureArrival } from './web/middleware/secure-arrival.js';
import { sessionEnded } from './web/session/session-ended.js';
import { createStartSession } from './web/session/start-session.js';
import { sessionView } from './web/session/read-session.js';
import { signedIn } from './web/session/require-sign-in.js';
import { setHeaders } from './web/middleware/set-headers.js';
import { tokenRefresh } from './web/middleware/token-refresh.js';
import { apiRoute } from './web/routes/api.js';
import { connectionRoute } from './web/routes/connection.js';
import { dashboardRoute } from './web/routes/dashboard.js';
import { debtsRoutes } from './web/routes/debts.js';
import { demoRoutes } from './web/routes/demo.js';
import { flowRoutes } from './flow-inspector/routes.js';
import { healthRoutes } from './web/routes/health.js';
import { landingRoute } from './web/routes/landing.js';
import { loginRoute } from './web/routes/login.js';
import { logoutRoute } from './web/routes/logout.js';
import { metricsRoute } from './web/routes/metrics.js';
import { oauthCallbackRoute } from './web/routes/oauth-callback.js';
import { sessionRoute } from './web/routes/session.js';
import { webhooksRoom } from './webhooks/room.js';

const root = (folder: string): string => fileURLToPath(new URL(`../${folder}`, import.meta.url));

/** The methods of every page. */
const PAGES = {
  '/': ['GET', 'HEAD'],
  '/login': ['GET'],
  '/oauth/callback': ['GET'],
  '/dashboard': ['GET', 'HEAD'],
  '/logout': ['POST'],
  '/session': ['GET'],
  '/debts': ['GET', 'HEAD'],
  '/debts/:id': ['GET', 'HEAD'],
  '/connection': ['GET', 'HEAD'],
  '/healthz': ['GET', 'HEAD'],
  '/readyz': ['GET', 'HEAD'],
};

/** The order of middleware and routers, and nothing else: no listening, no connecting, no reading of the environment. */
export function createApp(services: Services, { isReady }: { isReady: () => Promise<boolean> }): Express {
  const { config, log, emit, context, flowRecorder, limits, tokens, profiles, forward, signIn, arrivals } = services;
  const cookies = createCookies(config);
  const limiting = { limits, emit };
  const access = { tokens, facts: services.facts };
  const timeline = { marginMs: config.refreshMarginMs, now: services.now };
  const secrets = config.session.secrets.reveal();

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  Object.defineProperty(app.request, 'fresh', { value: false }); // Express would answer 304 to "If-None-Match: *"
  app.enable('case sensitive routing');
  app.set('trust proxy', config.trustProxy);
  app.set('views', root('views'));
  app.set('view engine', 'ejs');
  app.set('view cache', config.production);

  app.use(oneAtATime());
  app.use(requestId(services));
  if (flowRecorder !== undefined) app.use(flowCookie({ context, cookies }));
  app.use(requestLog({ log, context, emit }));
  app.use(routeName(Object.keys(PAGES)));
  app.use(setHeaders(createCommonHeaders(config)));
  app.use(webhooksRoom(services).receiver); // knows no session, cookie or CSRF token

  const api = createRouter(); // before what only pages need: the busiest path is the shortest
  api.use(
    secureArrival(config),
    sessionView({ sessions: services.sessions, secrets, cookieName: cookies.session }),
    sameOrigin({ publicUrl: config.publicUrl, emit }),
    csrf({ emit, pages: false }),
    signedIn(),
    rateLimit({ name: 'api', perMinute: config.rateLimits.api, keyOf: bySession, ...limiting }),
    tokenRefresh(access),
    apiRoute({ forward, access }),
  );
  app.use('/api', api);

  app.use(healthRoutes({ isReady }));
  if (config.flowInspector) app.use(demoRoutes({ quota: services.quota }));
  app.use(metricsRoute({ token: config.metricsToken, text: services.metrics.text }));
  app.use(
    '/assets',
    express.static(root('public'), {
      index: false,
      redirect: false,
      setHeaders: (res) => void res.setHeader('Cache-Control', 'public, max-age=3600'), // else it keeps our no-store
    }),
  );
  app.use(secureArrival(config));
  app.use(allowedMethods(PAGES));
  app.use(
    session({
      store: services.sessions,
      secret: [...secrets],
      name: cookies.session,
      cookie: cookies.attributes, // no maxAge: the store decides how long a session lives
      rolling: false,
      resave: false,
      saveUninitialized: false,
    }),
  );
  app.use(
    '/login',
    noPrefetch(),
    navigationOnly({ emit }),
    rateLimit({ name: 'login', perMinute: config.rateLimits.login, keyOf: byAddress, ...limiting }),
  );
  app.use(
    '/oauth/callback',
    noPrefetch(),
    navigationOnly({ emit }),
    rateLimit({ name: 'callback', perMinute: config.rateLimits.callback, keyOf: byAddress, ...limiting }),
  );
  const startSession = createStartSession({ ...services, session: config.session, scopes: config.getbill.scopes });
  app.use(loginRoute({ publicUrl: config.publicUrl, cookies, signIn, tokens, arrivals }));
  app.use(oauthCallbackRoute({ cookies, signIn, startSession, emit }));

  app.use(sameOrigin({ publicUrl: config.publicUrl, emit }));
  app.use('/logout', formBody());
  app.use(csrf({ emit, pages: true }));

  app.use(pageLocals({ flowInspector: config.flowInspector }));
  app.use(logoutRoute({ cookies, tokens, forgetPages: profiles.forget })); // prettier-ignore
  app.use(landingRoute({ cookies, scopes: config.getbill.scopes }));
  if (flowRecorder !== undefined) app.use(flowRoutes({ context, stepsOf: flowRecorder.stepsOf }));
  app.use(['/dashboard', '/debts', '/connection', '/session'], signedIn(), tokenRefresh(access));
  app.use(sessionRoute({ session: config.session, sessions: services.sessions, emit, now: services.now }));
  app.use(dashboardRoute({ forward, profiles, access, ...timeline }));
  app.use(debtsRoutes({ forward, access }));
  app.use(connectionRoute({ quota: services.quota, ...timeline }));

  app.use(() => {
    throw new RequestError('no such path', { code: 'not_found', status: 404 });
  });
  app.use(sessionEnded({ cookies }), errorPage({ log, developerPages: config.developerPages }));
  return app;
}

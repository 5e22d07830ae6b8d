import type { Express, Request, RequestHandler } from 'express';
import { createCipher } from '../core/storage/cipher.js';
import { inTime } from '../core/storage/redis.js';
import type { Config } from '../config/config.js';
import type { Emit } from '../events.js';
import type { AppClient } from '../getbill/app-client.js';
import type { DebtFigures } from '../getbill/debt-figures.js';
import type { GrantFacts } from '../getbill/grant-facts.js';
import type { ProfileCache } from '../getbill/profile-cache.js';
import { formBody } from '../web/middleware/form-body.js';
import { connectForWebhooks } from './connection.js';
import { addEventsPage } from './events-page.js';
import { streamChanges, tellListeners, type Listeners } from './live.js';
import { createWebhooks } from './webhooks.js';

/** Pages on which "changed just now" appears. */
const LIVE_PAGES = /^\/(dashboard|debts(\/[^/]+)?|events)$/;
const WATCHED_POLL_MS = 250;
const UNWATCHED_POLL_MS = 1_000;

/** The services that this room uses. */
export interface WebhooksServices {
  readonly config: Pick<Config, 'webhooks' | 'redis' | 'tokenEncryptionKeys'>;
  readonly log: { warn(fields: object, message: string): void };
  readonly emit: Emit;
  readonly now: () => number;
  readonly appClient: AppClient;
  readonly profiles: Pick<ProfileCache, 'forgetCompany'>;
  readonly figures: Pick<DebtFigures, 'forgetCompany'>;
  readonly facts: Pick<GrantFacts, 'read'>;
  readonly sessions: { read(id: string): Promise<unknown> };
  readonly onStop: (stop: () => Promise<void>) => void;
  readonly onClose: (close: () => void) => void;
}

export interface WebhooksGuards {
  /** Of the stream, which has bounds of its own. */
  readonly mayFollow: readonly RequestHandler[];
  /** Of the pages. */
  readonly mayOpen: readonly RequestHandler[];
}

/**
 * An optional room. Receives webhooks at `/webhooks/getbill`; to be mounted before sessions,
 * cookies and CSRF. `addPages` adds `/events`, and the line about changes on other pages; to be
 * called before those. Without a secret its paths are 404 and nothing runs.
 */
export function mountWebhooks(
  app: Express,
  services: WebhooksServices,
): { addPages(guards: WebhooksGuards): void } {
  const { config, log, emit, now, appClient, profiles, figures, facts, sessions } = services;
  const { endpoints: configured, ...settings } = config.webhooks;
  const onError = (error: Error): void => log.warn({ err: error }, 'redis connection of webhooks');
  const isOn = configured.length > 0;
  const connection =
    isOn && config.redis !== undefined ? connectForWebhooks(config.redis, onError) : undefined;
  const listeners: Listeners = new Set();
  const webhooks = createWebhooks({
    config: {
      ...settings,
      endpoints: configured.map((each) => ({ ...each, secrets: each.secrets.reveal() })),
    },
    redis: connection?.redis,
    connected: connection?.connected,
    cipher: createCipher(config.tokenEncryptionKeys.reveal()),
    api: appClient,
    onChanges(companyId, changes) {
      profiles.forgetCompany(companyId);
      figures.forgetCompany(companyId);
      tellListeners(listeners, companyId, changes);
    },
    emit,
    clock: { now, monotonicMs: () => performance.now() },
    pollMs: () => (listeners.size > 0 ? WATCHED_POLL_MS : UNWATCHED_POLL_MS),
  });
  const { endpoints, router } = webhooks;
  const isSignedIn = async ({ signedIn }: Request): Promise<boolean> =>
    signedIn !== undefined && (await sessions.read(signedIn.sessionId)) !== undefined;
  services.onStop(() => webhooks.stop());
  services.onClose(() => connection?.close());
  /** By the clock of Redis, which numbers the changes; without Redis by that of this process. */
  async function changesNow(): Promise<number> {
    if (connection === undefined) return now();
    const [seconds, microseconds] = await inTime(connection.redis.time());
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  }
  if (isOn) router.post('/events/again', formBody()); // the CSRF token is in the body

  app.use(router);

  return {
    addPages({ mayFollow, mayOpen }) {
      if (!isOn) return;
      app.use(showsChanges({ now: () => changesNow().catch(now) }));
      addEventsPage(app, { endpoints, facts, guards: mayOpen });
      const stream = streamChanges({ listeners, endpoints, facts, isSignedIn });
      app.get('/events/live', ...mayFollow, stream);
    },
  };
}

/**
 * The layout puts the line "changed just now" above the page. What changes while the page is being
 * made counts as changed since.
 */
function showsChanges({ now }: { now: () => Promise<number> }): RequestHandler {
  return async function showsChangesMiddleware(req, res, next) {
    if (res.locals['signedIn'] === true && LIVE_PAGES.test(req.path)) {
      res.locals['changesSince'] = await now();
      res.locals.above = [...(res.locals.above ?? []), 'partials/changes'];
    }
    next();
  };
}

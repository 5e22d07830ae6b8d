import { Registry, collectDefaultMetrics } from 'prom-client';
import type { SecretMade } from '../config/config.js';
import type { AppEvent, Emit } from '../events.js';
import { createInstruments, seriesOf } from './instruments.js';
import { audienceOf, initialLabels, knownReason, statusClass } from './metric-labels.js';
import { createRejectedGrants } from './rejected-grants.js';
import { createUseMetrics } from './use-metrics.js';

export interface Metrics {
  readonly read: Emit;
  readonly observeStorage: (durationMs: number) => void;
  readonly countDroppedLogLine: () => void;
  /** The Prometheus text format, and its content type. */
  readonly text: () => Promise<{ body: string; contentType: string }>;
}

/** With `process_*` and `nodejs_*`. */
function withProcessMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/**
 * Counters over the event vocabulary. Labels are small fixed sets: never an id, a path or a text of
 * somebody else. Every series that an alert counts exists from the start, at 0: `increase()` does not
 * see the first event of a series that is born with it.
 */
export function createMetrics({
  pendingWrites = () => 0,
  clientSecretMade,
  now,
  registry = withProcessMetrics(),
}: {
  /** Renewed token sets that the storage did not take yet. */
  pendingWrites?: () => number;
  clientSecretMade?: SecretMade | undefined;
  now: () => number;
  registry?: Registry;
}): Metrics {
  const { counter, gauge, histogram } = createInstruments(registry);

  const requests = histogram('request_seconds', 'requests to this app and how long they took', [
    'method',
    'route',
    'status',
  ]);
  const apiCalls = histogram('api_call_seconds', 'calls to the GetBill API that were answered', [
    'method',
    'route',
    'status',
  ]);
  const apiFailures = counter(
    'api_failures_total',
    'calls to the GetBill API without a usable response: too slow, unreachable, not JSON; `browser_left` and `too_many_open_calls` are not GetBill’s',
    seriesOf('reason', initialLabels.apiFailures),
  );
  const apiReplays = counter(
    'api_replays_total',
    'calls sent once more after a 401, with a newer token',
  );
  const tokenCalls = histogram(
    'token_call_seconds',
    'calls to the token endpoint; `outcome` is `ok`, `refused`, `misconfigured` or `transient`',
    ['grant_type', 'outcome'],
  );
  for (const labels of initialLabels.tokenCalls) tokenCalls.zero(labels);
  const logins = counter(
    'logins_total',
    'sign-ins: `started`, `completed`, `failed` (with the code of the error page as `reason`), `repeated` (Back button)',
    initialLabels.logins,
  );
  const renewals = counter(
    'renewals_total',
    'renewals: `led` (`renewed`, `reused`, `refused`, `misconfigured`, `transient`), `joined` (waited for one in this process), `waited` (for one in another process: `renewed`, `ended`, `paused`, `taken_over`, `no_lease`)',
    initialLabels.renewals,
  );
  const renewalLate = histogram(
    'renewal_late_seconds',
    'from the expiry of an access token to its renewal; 0 when it was renewed in the margin, as it should be for anybody who is active',
  );
  const waits = histogram(
    'renewal_wait_seconds',
    'how long a request waited for a renewal: `joined` or `waited`',
    ['role'],
  );
  for (const role of ['joined', 'waited']) waits.zero({ role });
  const sessionsEnded = counter(
    'sessions_ended_total',
    'sessions that ended, by the reasons of `session_ended`, and `expired`',
    seriesOf('reason', initialLabels.sessionsEnded),
  );
  const quotaLeft = new Map<string, number>(); // labelled when somebody looks, not on every call
  gauge(
    'quota_left',
    'what GetBill said is left of its quota, at the last call of this process',
    (left) => {
      for (const [limitClass, value] of quotaLeft) left.set({ limit_class: limitClass }, value);
    },
    ['limit_class'],
  );
  const limited = counter(
    'rate_limited_total',
    "requests refused by a limit of ours: `login`, `callback`, `api`, `pages`, `session`, `streams` (of `/events/live`), `open_pages` and `open_calls` (of one session at once), `share` (a company's share of GetBill's quota), `refresh` (renewals)",
    seriesOf('limit', initialLabels.limits),
  );
  const refused = counter(
    'requests_refused_total',
    'requests refused for safety: `csrf`, `foreign_origin`, `navigation_only`',
    seriesOf('reason', initialLabels.refused),
  );
  const webhooks = counter(
    'webhooks_total',
    'webhooks: `new`, `duplicate`, `handled`, `failed` (will be tried again), `given_up` (after eight tries)',
    seriesOf('outcome', initialLabels.webhooks),
  );
  const webhooksRefused = counter(
    'webhooks_refused_total',
    'webhooks that were not acknowledged, by the reasons of `webhook_refused`',
    seriesOf('reason', initialLabels.webhooksRefused),
  );
  const responses = counter(
    'responses_total',
    'responses: to `people`, or to `machines` (health checks, metrics, assets, unknown paths); `2xx` to `5xx`',
    initialLabels.responses,
  );
  gauge(
    'pending_writes',
    'renewed token sets that Redis did not take yet and this process keeps',
    (count) => count.set(pendingWrites()),
  );
  const rejectedGrants = createRejectedGrants({ now });
  gauge(
    'rejected_grants',
    'grants whose renewal GetBill has rejected as misconfigured in the last ten minutes; 0 after a renewal that succeeds',
    (count) => count.set(rejectedGrants.count()),
  );
  const faults = counter(
    'faults_total',
    'events an operator should know: `storage_failed`, `record_replaced`, `token_write_delayed`, `key_missing`, `tls_failed`, `client_secret_fallback`, `quota_exhausted`, `scope_widened`, `session_broken`, `session_touch_failed`, `revocation_failed`',
    seriesOf('type', initialLabels.faults),
  );
  const logLinesDropped = counter(
    'log_dropped_total',
    'lines of the log that could not be written and did not fit into memory',
  );
  const storage = histogram(
    'storage_seconds',
    'a round trip to Redis, measured by every call of `/readyz` and `/metrics`',
  );

  const readUse = createUseMetrics({ registry, clientSecretMade, now });

  function read(event: AppEvent): void {
    readUse(event);
    switch (event.type) {
      case 'request_answered':
        responses.inc({ audience: audienceOf(event), class: statusClass(event.status) });
        return requests.observe(
          { method: event.method, route: event.route, status: event.status },
          event.durationMs / 1000,
        );
      case 'login_started':
        return logins.inc({ outcome: 'started', reason: '' });
      case 'login_completed':
        return logins.inc({ outcome: 'completed', reason: '' });
      case 'login_failed':
        return logins.inc({ outcome: 'failed', reason: knownReason('login', event.reason) });
      case 'login_repeated':
        return logins.inc({ outcome: 'repeated', reason: '' });
      case 'token_requested':
        if (event.grantType === 'refresh_token' && event.outcome === 'ok') rejectedGrants.clear();
        return tokenCalls.observe(
          { grant_type: event.grantType, outcome: event.outcome },
          event.durationMs / 1000,
        );
      case 'token_refreshed':
        renewals.inc({ role: 'led', outcome: 'renewed' });
        return renewalLate.observe(event.lateMs / 1000);
      case 'refresh_failed':
        if (event.outcome === 'misconfigured') rejectedGrants.add(event.grant);
        if (event.outcome === 'limited') limited.inc({ limit: 'refresh' });
        return renewals.inc({ role: 'led', outcome: event.outcome });
      case 'refresh_reused':
        return renewals.inc({ role: 'led', outcome: 'reused' });
      case 'refresh_joined':
        renewals.inc({ role: 'joined', outcome: 'joined' });
        return waits.observe({ role: 'joined' }, event.waitedMs / 1000);
      case 'refresh_waited':
        renewals.inc({ role: 'waited', outcome: event.outcome });
        return waits.observe({ role: 'waited' }, event.waitedMs / 1000);
      case 'session_ended':
        return sessionsEnded.inc({ reason: event.reason });
      case 'session_expired':
        return sessionsEnded.inc({ reason: 'expired' });
      case 'api_called':
        if (event.quotaLeft !== undefined) quotaLeft.set(event.limitClass, event.quotaLeft);
        return apiCalls.observe(
          { method: event.method, route: event.route, status: event.status },
          event.durationMs / 1000,
        );
      case 'api_failed':
        return apiFailures.inc({ reason: knownReason('api', event.reason) });
      case 'api_not_asked':
        return undefined; // `quota_exhausted` says once what these say for every call
      case 'api_replayed':
        return apiReplays.inc();
      case 'rate_limited':
        return limited.inc({ limit: event.limit });
      case 'request_refused':
        return refused.inc({ reason: event.reason });
      case 'webhook_received':
        return webhooks.inc({ outcome: event.outcome });
      case 'webhook_refused':
        return webhooksRefused.inc({ reason: knownReason('webhook', event.reason) });
      case 'webhook_handled':
        return webhooks.inc({ outcome: 'handled' });
      case 'webhook_failed':
        return webhooks.inc({ outcome: event.final ? 'given_up' : 'failed' });
      case 'token_revoked':
        return event.outcome === 'failed' ? faults.inc({ type: 'revocation_failed' }) : undefined;
      case 'scope_widened':
      case 'client_secret_fallback':
      case 'token_write_delayed':
      case 'session_broken':
      case 'session_touch_failed':
      case 'key_missing':
      case 'storage_failed':
      case 'record_replaced':
      case 'tls_failed':
      case 'quota_exhausted':
        return faults.inc({ type: event.type });
    }
  }

  return {
    read,
    countDroppedLogLine: () => {
      logLinesDropped.inc();
    },
    observeStorage: (durationMs) => storage.observe(durationMs / 1000),
    text: async () => ({ body: await registry.metrics(), contentType: registry.contentType }),
  };
}

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { AppEvent, Emit } from '../events.js';
import { initialLabels, audienceOf, knownReason, statusClass } from './metric-labels.js';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

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

const REJECTED_FOR_MS = 600_000;

/**
 * Counters over the event vocabulary. Labels are small fixed sets: never an id, a path or a text of
 * somebody else. Every series that an alert counts exists from the start, at 0: `increase()` does not
 * see the first event of a series that is born with it.
 */
export function createMetrics({
  pendingWrites = () => 0,
  now,
  registry = withProcessMetrics(),
}: {
  /** Renewed token sets that the storage did not take yet. */
  pendingWrites?: () => number;
  now: () => number;
  registry?: Registry;
}): Metrics {
  const registers = [registry];

  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: `getbill_connect_${name}`, help, labelNames, registers });
  const gauge = (name: string, help: string, valueOf: () => number) =>
    new Gauge({
      name: `getbill_connect_${name}`,
      help,
      registers,
      collect() {
        this.set(valueOf());
      },
    });
  const histogram = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Histogram({ name: `getbill_connect_${name}`, help, labelNames, buckets: SECONDS, registers });

  const requests = histogram('request_seconds', 'Requests to this app', ['method', 'route', 'status']);
  const apiCalls = histogram('api_call_seconds', 'Calls to the GetBill API', ['method', 'route', 'status']);
  const apiFailures = counter('api_failures_total', 'Calls to the GetBill API without a usable answer', ['reason']);
  const apiReplays = counter('api_replays_total', 'Calls sent again after a 401, with a newer token');
  const tokenCalls = histogram('token_call_seconds', 'Calls to the token endpoint', ['grant_type', 'outcome']);
  const logins = counter('logins_total', 'Sign-ins by what became of them', ['outcome', 'reason']);
  const renewals = counter('renewals_total', 'Renewals asked for, by role and outcome', ['role', 'outcome']);
  const renewalLate = histogram('renewal_late_seconds', 'From expiry to renewal; 0 when renewed in the margin');
  const waits = histogram('renewal_wait_seconds', 'How long a caller waited for a renewal', ['role']);
  const sessionsEnded = counter('sessions_ended_total', 'Sessions ended, by reason', ['reason']);
  const quotaLeft = new Map<string, number>(); // labelled when somebody looks, not on every call
  const collect = (gauge: Gauge<'limit_class'>): void =>
    quotaLeft.forEach((left, limitClass) => gauge.set({ limit_class: limitClass }, left));
  new Gauge({ name: 'getbill_connect_quota_left', help: 'What GetBill said is left, by class', labelNames: ['limit_class'], registers, collect() { collect(this); } }); // prettier-ignore
  const limited = counter('rate_limited_total', 'Requests refused by a limit of ours', ['limit']);
  const refused = counter('requests_refused_total', 'Requests refused for safety', ['reason']);
  const webhooks = counter('webhooks_total', 'Webhooks by what became of them', ['outcome']);
  const webhooksRefused = counter('webhooks_refused_total', 'Webhooks that were not acknowledged', ['reason']);
  const responses = counter('responses_total', 'Responses, by who asked and class', ['audience', 'class']);
  const rejectedAtMs = new Map<string, number>();
  function rejectedGrants(): number {
    for (const [grant, atMs] of rejectedAtMs) {
      if (now() - atMs > REJECTED_FOR_MS) rejectedAtMs.delete(grant);
    }
    return rejectedAtMs.size;
  }
  gauge('pending_writes', 'Renewed token sets that Redis did not take yet', pendingWrites);
  gauge('rejected_grants', 'Grants whose renewal GetBill rejects as misconfigured, 10 min', rejectedGrants);
  const faults = counter('faults_total', 'Things an operator should know', ['type']);
  const logLinesDropped = counter('log_dropped_total', 'Log lines that could not be written and were dropped');
  const storage = histogram('storage_seconds', 'Round trip to the session storage, measured by readiness checks');

  for (const labels of initialLabels.responses) responses.inc(labels, 0);
  for (const labels of initialLabels.tokenCalls) tokenCalls.zero(labels);
  for (const labels of initialLabels.renewals) renewals.inc(labels, 0);
  for (const labels of initialLabels.logins) logins.inc(labels, 0);
  for (const reason of initialLabels.apiFailures) apiFailures.inc({ reason }, 0);
  for (const reason of initialLabels.sessionsEnded) sessionsEnded.inc({ reason }, 0);
  for (const limit of initialLabels.limits) limited.inc({ limit }, 0);
  for (const reason of initialLabels.refused) refused.inc({ reason }, 0);
  for (const outcome of initialLabels.webhooks) webhooks.inc({ outcome }, 0);
  for (const reason of initialLabels.webhooksRefused) webhooksRefused.inc({ reason }, 0);
  for (const type of initialLabels.faults) faults.inc({ type }, 0);
  for (const role of ['joined', 'waited']) waits.zero({ role });

  function read(event: AppEvent): void {
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
        if (event.grantType === 'refresh_token' && event.outcome === 'ok') rejectedAtMs.clear();
        return tokenCalls.observe({ grant_type: event.grantType, outcome: event.outcome }, event.durationMs / 1000);
      case 'token_refreshed':
        renewals.inc({ role: 'led', outcome: 'renewed' });
        return renewalLate.observe(event.lateMs / 1000);
      case 'refresh_failed':
        if (event.outcome === 'misconfigured') rejectedAtMs.set(event.grant, now());
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

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { AppEvent, Emit } from '../events.js';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface Metrics {
  readonly read: Emit;
  readonly observeStorage: (durationMs: number) => void;
  readonly countDroppedLogLine: () => void;
  /** The Prometheus text format, and its content type. */
  readonly text: () => Promise<{ body: string; contentType: string }>;
}

/** Counters over the event vocabulary. Labels are small fixed sets: never an id, a path or a text of somebody else. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: `getbill_connect_${name}`, help, labelNames, registers });
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
  const faults = counter('faults_total', 'Things an operator should know', ['type']);
  const logLinesDropped = counter('log_dropped_total', 'Log lines that could not be written and were dropped');
  const storage = histogram('storage_seconds', 'Round trip to the session storage, measured by readiness checks');

  function read(event: AppEvent): void {
    switch (event.type) {
      case 'request_answered':
        return requests.observe(
          { method: event.method, route: event.route, status: event.status },
          event.durationMs / 1000,
        );
      case 'login_started':
        return logins.inc({ outcome: 'started', reason: '' });
      case 'login_completed':
        return logins.inc({ outcome: 'completed', reason: '' });
      case 'login_failed':
        return logins.inc({ outcome: 'failed', reason: event.reason });
      case 'login_repeated':
        return logins.inc({ outcome: 'repeated', reason: '' });
      case 'token_requested':
        return tokenCalls.observe({ grant_type: event.grantType, outcome: event.outcome }, event.durationMs / 1000);
      case 'token_refreshed':
        renewals.inc({ role: 'led', outcome: 'renewed' });
        return renewalLate.observe(event.lateMs / 1000);
      case 'refresh_failed':
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
        return apiFailures.inc({ reason: event.reason });
      case 'api_replayed':
        return apiReplays.inc();
      case 'rate_limited':
        return limited.inc({ limit: event.limit });
      case 'request_refused':
        return refused.inc({ reason: event.reason });
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

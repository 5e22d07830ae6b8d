import { Registry, collectDefaultMetrics } from 'prom-client';
import type { SecretMade } from '../config/config.js';
import type { AppEvent, Emit } from '../events.js';
import { defineMetrics } from './metric-definitions.js';
import { audienceOf, knownReason, statusClass } from './metric-labels.js';
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

/** Counts the events of the app. */
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
  const metrics = defineMetrics({ registry, pendingWrites, now });
  const readUse = createUseMetrics({ registry, clientSecretMade, now });

  function read(event: AppEvent): void {
    readUse(event);
    switch (event.type) {
      case 'request_answered':
        metrics.responses.inc({ audience: audienceOf(event), class: statusClass(event.status) });
        return metrics.requests.observe(
          { method: event.method, route: event.route, status: event.status },
          event.durationMs / 1000,
        );
      case 'login_started':
        return metrics.logins.inc({ outcome: 'started', reason: '' });
      case 'login_completed':
        return metrics.logins.inc({ outcome: 'completed', reason: '' });
      case 'login_failed':
        return metrics.logins.inc({
          outcome: 'failed',
          reason: knownReason('login', event.reason),
        });
      case 'login_repeated':
        return metrics.logins.inc({ outcome: 'repeated', reason: '' });
      case 'token_requested':
        if (event.grantType === 'refresh_token' && event.outcome === 'ok')
          metrics.rejectedGrants.clear();
        return metrics.tokenCalls.observe(
          { grant_type: event.grantType, outcome: event.outcome },
          event.durationMs / 1000,
        );
      case 'token_refreshed':
        metrics.renewals.inc({ role: 'led', outcome: 'renewed' });
        return metrics.renewalLate.observe(event.lateMs / 1000);
      case 'refresh_failed':
        if (event.outcome === 'misconfigured') metrics.rejectedGrants.add(event.grant);
        if (event.outcome === 'limited') metrics.limited.inc({ limit: 'refresh' });
        return metrics.renewals.inc({ role: 'led', outcome: event.outcome });
      case 'refresh_reused':
        return metrics.renewals.inc({ role: 'led', outcome: 'reused' });
      case 'refresh_joined':
        metrics.renewals.inc({ role: 'joined', outcome: 'joined' });
        return metrics.waits.observe({ role: 'joined' }, event.waitedMs / 1000);
      case 'refresh_waited':
        metrics.renewals.inc({ role: 'waited', outcome: event.outcome });
        return metrics.waits.observe({ role: 'waited' }, event.waitedMs / 1000);
      case 'session_ended':
        return metrics.sessionsEnded.inc({ reason: event.reason });
      case 'session_expired':
        return metrics.sessionsEnded.inc({ reason: 'expired' });
      case 'api_called':
        if (event.quotaLeft !== undefined) metrics.quotaLeft.set(event.limitClass, event.quotaLeft);
        return metrics.apiCalls.observe(
          { method: event.method, route: event.route, status: event.status },
          event.durationMs / 1000,
        );
      case 'api_failed':
        return metrics.apiFailures.inc({ reason: knownReason('api', event.reason) });
      case 'api_not_asked':
        return; // `quota_exhausted` says once what these say for every call
      case 'api_replayed':
        return metrics.apiReplays.inc();
      case 'rate_limited':
        return metrics.limited.inc({ limit: event.limit });
      case 'request_refused':
        return metrics.refused.inc({ reason: event.reason });
      case 'webhook_received':
        return metrics.webhooks.inc({ outcome: event.outcome });
      case 'webhook_refused':
        return metrics.webhooksRefused.inc({ reason: knownReason('webhook', event.reason) });
      case 'webhook_handled':
        return metrics.webhooks.inc({ outcome: 'handled' });
      case 'webhook_failed':
        return metrics.webhooks.inc({ outcome: event.final ? 'given_up' : 'failed' });
      case 'token_revoked':
        if (event.outcome === 'failed') metrics.faults.inc({ type: 'revocation_failed' });
        return;
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
        return metrics.faults.inc({ type: event.type });
    }
  }

  return {
    read,
    countDroppedLogLine: () => {
      metrics.logLinesDropped.inc();
    },
    observeStorage: (durationMs) => metrics.storage.observe(durationMs / 1000),
    text: async () => ({ body: await registry.metrics(), contentType: registry.contentType }),
  };
}

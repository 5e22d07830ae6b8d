import type { Registry } from 'prom-client';
import { createInstruments, seriesOf } from './instruments.js';
import { initialLabels } from './metric-labels.js';
import { createRejectedGrants } from './rejected-grants.js';

/**
 * The metrics of events. Labels are small fixed sets: never an id, a path or a text of somebody
 * else. Every series that an alert counts exists from the start, at 0: `increase()` does not see
 * the first event of a series that is born with it.
 */
export function defineMetrics({
  registry,
  pendingWrites,
  now,
}: {
  registry: Registry;
  pendingWrites: () => number;
  now: () => number;
}) {
  const { counter, gauge, histogram } = createInstruments(registry);

  const metrics = {
    requests: histogram('request_seconds', 'requests to this app and how long they took', [
      'method',
      'route',
      'status',
    ]),
    apiCalls: histogram('api_call_seconds', 'calls to the GetBill API that were answered', [
      'method',
      'route',
      'status',
    ]),
    apiFailures: counter(
      'api_failures_total',
      'calls to the GetBill API without a usable response: too slow, unreachable, not JSON; `browser_left` and `too_many_open_calls` are not GetBill’s',
      seriesOf('reason', initialLabels.apiFailures),
    ),
    apiReplays: counter(
      'api_replays_total',
      'calls sent once more after a 401, with a newer token',
    ),
    tokenCalls: histogram(
      'token_call_seconds',
      'calls to the token endpoint; `outcome` is `ok`, `refused`, `misconfigured` or `transient`',
      ['grant_type', 'outcome'],
      initialLabels.tokenCalls,
    ),
    logins: counter(
      'logins_total',
      'sign-ins: `started`, `completed`, `failed` (with the code of the error page as `reason`), `repeated` (Back button)',
      initialLabels.logins,
    ),
    renewals: counter(
      'renewals_total',
      'renewals: `led` (`renewed`, `reused`, `refused`, `misconfigured`, `transient`), `joined` (waited for one in this process), `waited` (for one in another process: `renewed`, `ended`, `paused`, `taken_over`, `no_lease`)',
      initialLabels.renewals,
    ),
    renewalLate: histogram(
      'renewal_late_seconds',
      'from the expiry of an access token to its renewal; 0 when it was renewed in the margin, as it should be for anybody who is active',
    ),
    waits: histogram(
      'renewal_wait_seconds',
      'how long a request waited for a renewal: `joined` or `waited`',
      ['role'],
      seriesOf('role', ['joined', 'waited']),
    ),
    sessionsEnded: counter(
      'sessions_ended_total',
      'sessions that ended, by the reasons of `session_ended`, and `expired`',
      seriesOf('reason', initialLabels.sessionsEnded),
    ),
    limited: counter(
      'rate_limited_total',
      "requests refused by a limit of ours: `login`, `callback`, `api`, `pages`, `session`, `streams` (of `/events/live`), `open_pages` and `open_calls` (of one session at once), `share` (a company's share of GetBill's quota), `refresh` (renewals)",
      seriesOf('limit', initialLabels.limits),
    ),
    refused: counter(
      'requests_refused_total',
      'requests refused for safety: `csrf`, `foreign_origin`, `navigation_only`',
      seriesOf('reason', initialLabels.refused),
    ),
    webhooks: counter(
      'webhooks_total',
      'webhooks: `new`, `duplicate`, `handled`, `failed` (will be tried again), `given_up` (after eight tries)',
      seriesOf('outcome', initialLabels.webhooks),
    ),
    webhooksRefused: counter(
      'webhooks_refused_total',
      'webhooks that were not acknowledged, by the reasons of `webhook_refused`',
      seriesOf('reason', initialLabels.webhooksRefused),
    ),
    responses: counter(
      'responses_total',
      'responses: to `people`, or to `machines` (health checks, metrics, assets, unknown paths); `2xx` to `5xx`',
      initialLabels.responses,
    ),
    faults: counter(
      'faults_total',
      'events an operator should know: `storage_failed`, `record_replaced`, `token_write_delayed`, `key_missing`, `tls_failed`, `client_secret_fallback`, `quota_exhausted`, `scope_widened`, `session_broken`, `session_touch_failed`, `revocation_failed`',
      seriesOf('type', initialLabels.faults),
    ),
    logLinesDropped: counter(
      'log_dropped_total',
      'lines of the log that could not be written and did not fit into memory',
    ),
    storage: histogram(
      'storage_seconds',
      'a round trip to Redis, measured by every call of `/readyz` and `/metrics`',
    ),
  };

  const quotaLeft = new Map<string, number>(); // labelled when somebody looks, not on every call
  gauge(
    'quota_left',
    'what GetBill said is left of its quota, at the last call of this process',
    (left) => {
      for (const [limitClass, value] of quotaLeft) left.set({ limit_class: limitClass }, value);
    },
    ['limit_class'],
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

  return { ...metrics, quotaLeft, rejectedGrants };
}

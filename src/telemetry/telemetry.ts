import { AsyncLocalStorage } from 'node:async_hooks';
import type { Config } from '../config/config.js';
import { createEvents, type AppEvent, type RequestContext } from '../events.js';
import { createAudit } from './audit.js';
import { createLog } from './log.js';
import { createMetrics } from './metrics.js';

/** The events of the app and their readers: the audit log, the metrics, a request's context. */
export function createTelemetry(
  config: Pick<Config, 'logLevel' | 'developerPages' | 'getbill'>,
  {
    pendingWrites,
    now,
    logTo,
  }: { pendingWrites: () => number; now: () => number; logTo: NodeJS.WritableStream | undefined },
) {
  const { clientSecretMade } = config.getbill;
  const metrics = createMetrics({ pendingWrites, clientSecretMade, now });
  const log = createLog({
    level: config.logLevel,
    pretty: config.developerPages && process.stdout.isTTY,
    to: logTo,
    onDropped: metrics.countDroppedLogLine,
  });
  const context = new AsyncLocalStorage<RequestContext>();
  const { emit, subscribe } = createEvents({
    onReaderError: (error) => log.error({ err: error }, 'event reader failed'),
  });
  subscribe(createAudit({ log, context }));
  subscribe(metrics.read);
  subscribe((event) => {
    const request = context.getStore();
    if (request !== undefined) noteCalls(request, event);
  });
  return { metrics, log, context, emit, subscribe };
}

/** Keeps, for the log's line and the error page, how the calls to GetBill of a request went. */
function noteCalls(request: RequestContext, event: AppEvent): void {
  if (event.type === 'api_called') request.upstreamMs += event.durationMs;
  if (event.type === 'api_failed') request.failedCall = event;
  if (event.type === 'token_requested' && event.outcome !== 'ok') {
    const { status, durationMs, grantType, outcome } = event;
    const route = `/oauth/token (${grantType})`;
    const sent = { method: 'POST', route, status, contentType: undefined };
    request.failedCall = { ...sent, reason: outcome, durationMs };
  }
}

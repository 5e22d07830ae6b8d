import type { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';
import type { AppEvent, Emit, RequestContext } from '../events.js';

/** Happens on every call and says nothing about security: for metrics and the flow inspector only. */
const NOT_AUDITED = new Set<AppEvent['type']>(['request_answered', 'api_called', 'refresh_reused']);

/** One line per security event, marked `"audit": true`, with the request it belongs to. Ids are keyed hashes. */
export function createAudit({ log, context }: { log: Logger; context: AsyncLocalStorage<RequestContext> }): Emit {
  const audit = log.child({ audit: true }, { level: log.level === 'silent' ? 'silent' : 'info' }); // whatever LOG_LEVEL says
  return function auditEvent(event) {
    if (NOT_AUDITED.has(event.type)) return;
    const { requestId, ip } = context.getStore() ?? {};
    audit.info({ ...event, requestId, ip }, event.type);
  };
}

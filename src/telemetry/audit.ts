import type { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';
import type { Emit, RequestContext } from '../events.js';
import { eventCatalogue } from './event-catalogue.js';

/** One line per security event, marked `"audit": true`, with the request it belongs to. Ids are keyed hashes. */
export function createAudit({
  log,
  context,
}: {
  log: Logger;
  context: AsyncLocalStorage<RequestContext>;
}): Emit {
  const audit = log.child({ audit: true }, { level: log.level === 'silent' ? 'silent' : 'info' }); // whatever LOG_LEVEL says
  return function auditEvent(event) {
    if (!eventCatalogue[event.type].isAudited) return;
    const { requestId, ip } = context.getStore() ?? {};
    audit.info({ ...event, requestId, ip }, event.type);
  };
}

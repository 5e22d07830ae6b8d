import type { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';
import type { Emit, RequestContext } from '../events.js';
import { eventCatalogue } from './event-catalogue.js';

/**
 * One line per security event, marked `"audit": true`, with the request it belongs to. Ids are
 * keyed hashes. At level `debug` the other events have a line, too; a request has its own already.
 */
export function createAudit({
  log,
  context,
}: {
  log: Logger;
  context: AsyncLocalStorage<RequestContext>;
}): Emit {
  // whatever LOG_LEVEL says
  const audit = log.child({ audit: true }, { level: log.level === 'silent' ? 'silent' : 'info' });
  return function auditEvent(event) {
    const { isAudited } = eventCatalogue[event.type];
    if (!isAudited && (event.type === 'request_answered' || !log.isLevelEnabled('debug'))) return;
    const { requestId, ip } = context.getStore() ?? {};
    if (isAudited) audit.info({ ...event, requestId, ip }, event.type);
    else log.debug({ ...event, requestId }, event.type);
  };
}

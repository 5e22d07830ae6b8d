import { randomUUID } from 'node:crypto';
import type { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestHandler } from 'express';
import type { RequestContext } from '../../events.js';

const ACCEPTED = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * Gives the request its number (a proxy's own, when it is well-formed) and makes it known to every
 * event raised meanwhile.
 */
export function requestId({
  context,
}: {
  context: AsyncLocalStorage<RequestContext>;
}): RequestHandler {
  return function requestIdMiddleware(req, res, next) {
    const given = req.get('x-request-id');
    const id = given !== undefined && ACCEPTED.test(given) ? given : randomUUID();
    res.locals.requestId = id;
    context.run({ requestId: id, ip: req.ip, upstreamMs: 0 }, next);
  };
}

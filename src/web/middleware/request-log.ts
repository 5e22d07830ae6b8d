import type { Request, RequestHandler, Response } from 'express';
import type { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';
import { REQUEST_LINE, type Emit, type RequestContext } from '../../events.js';

const MAX_PATH = 128;

/**
 * One line per request: its number, method, route, status, duration, and the part GetBill took. The
 * route is the pattern that matched, never the address: the callback's holds the code. A path that
 * matched nothing is given, without query.
 */
export function requestLog({
  log,
  context,
  emit,
}: {
  log: Logger;
  context: AsyncLocalStorage<RequestContext>;
  emit: Emit;
}): RequestHandler {
  // these fields hold no secret, and looking for one costs as much as the line
  const lines = log.child({}, { redact: [] });
  return function requestLogMiddleware(req, res, next) {
    const startedMs = performance.now();
    const current = context.getStore();
    res.once('close', () => {
      const durationMs = performance.now() - startedMs;
      const request = {
        method: req.method,
        route: routeOf(req, res),
        status: res.statusCode,
        durationMs,
      };
      const level = res.statusCode >= 500 ? 'error' : 'info';
      const { requestId } = res.locals;
      const cut = !res.writableFinished && { cut: true };
      const path = request.route === 'unmatched' && {
        path: req.originalUrl.split('?', 1)[0]?.slice(0, MAX_PATH),
      };
      lines[level](
        { requestId, ...request, upstreamMs: current?.upstreamMs, ...path, ...cut },
        REQUEST_LINE,
      );
      if (current !== undefined)
        context.run(current, emit, { type: 'request_answered', ...request });
    });
    next();
  };
}

function routeOf(req: Request, res: Response): string {
  const { path } = (req.route ?? {}) as { path?: unknown };
  return res.locals.route ?? (typeof path === 'string' ? req.baseUrl + path : 'unmatched');
}

import type { Request, RequestHandler, Response } from 'express';
import type { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import type { Emit, RequestContext } from '../../events.js';

/**
 * One line per request: its number, method, route, status, duration, and the part GetBill took. The route is the pattern
 * that matched, never the address: the callback's holds the code.
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
  const logRequest = pinoHttp<Request, Response>({
    logger: log,
    genReqId: (_req, res) => res.locals.requestId,
    quietReqLogger: true,
    quietResLogger: true,
    customAttributeKeys: { reqId: 'requestId', responseTime: 'durationMs' },
    customProps: (req, res) => ({
      method: req.method,
      route: routeOf(req, res),
      status: res.statusCode,
      upstreamMs: res.locals.context?.upstreamMs,
    }),
    customLogLevel: (_req, res, error) => (error || res.statusCode >= 500 ? 'error' : 'info'),
    customSuccessMessage: () => 'request',
    customErrorMessage: () => 'request',
  });
  return function requestLogMiddleware(req, res, next) {
    const startedMs = performance.now();
    const current = context.getStore();
    res.locals.context = current;
    res.once('finish', () => {
      const durationMs = performance.now() - startedMs;
      const answered = { method: req.method, route: routeOf(req, res), status: res.statusCode, durationMs };
      if (current !== undefined) context.run(current, emit, { type: 'request_answered', ...answered });
    });
    logRequest(req, res, next);
  };
}

function routeOf(req: Request, res: Response): string {
  const { path } = (req.route ?? {}) as { path?: unknown };
  return res.locals.route ?? (typeof path === 'string' ? req.baseUrl + path : 'unmatched');
}

import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';

/** One line per request: its number, method, path without the query (the callback's holds the code), status, duration. */
export function requestLog({ log }: { log: Logger }): RequestHandler {
  return pinoHttp({
    logger: log,
    genReqId: (_req, res) => (res as unknown as { locals: Express.Locals }).locals.requestId,
    quietReqLogger: true,
    quietResLogger: true,
    customAttributeKeys: { reqId: 'requestId', responseTime: 'durationMs' },
    customProps: (req, res) => ({ method: req.method, path: pathOf(req.url), status: res.statusCode }),
    customLogLevel: (_req, res, error) => (error || res.statusCode >= 500 ? 'error' : 'info'),
    customSuccessMessage: () => 'request',
    customErrorMessage: () => 'request',
  });
}

const pathOf = (url = ''): string => (url.split('?')[0] ?? '').slice(0, 256);

import type { RequestHandler } from 'express';

/** Responds 204 to a browser that fetches ahead: nothing is started, taken or counted. */
export function noPrefetch(): RequestHandler {
  return function noPrefetchMiddleware(req, res, next) {
    const purpose = [
      req.get('sec-purpose'),
      req.get('purpose'),
      req.get('x-moz'),
      req.get('x-purpose'),
    ].join();
    if (/\b(prefetch|prerender|preview)\b/i.test(purpose)) return void res.status(204).end();
    next();
  };
}

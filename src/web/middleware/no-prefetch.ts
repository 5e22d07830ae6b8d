import type { RequestHandler } from 'express';

/**
 * A browser that only fetches ahead is told so by 204: nothing is started, nothing taken, nothing
 * counted.
 */
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

import type { RequestHandler } from 'express';
import { matchEndpoint } from '../../getbill/endpoints.js';

/**
 * Names the route of a request before anything can respond, so that also a refusal by middleware is counted under its
 * route. `paths` are those of the pages; ":id" stands for any one segment.
 */
export function routeName(paths: readonly string[]): RequestHandler {
  const pages = paths.map((path) => ({ path, pattern: new RegExp(`^${path.replace(':id', '[^/]+')}/?$`) }));

  function nameOf(method: string, path: string): string | undefined {
    if (path.startsWith('/assets/')) return '/assets';
    if (!path.startsWith('/api/')) return pages.find(({ pattern }) => pattern.test(path))?.path;
    const match = matchEndpoint(method, path.slice('/api'.length));
    return 'endpoint' in match ? `/api${match.endpoint.path}` : '/api';
  }

  return function routeNameMiddleware(req, res, next) {
    res.locals.route = nameOf(req.method, req.path);
    next();
  };
}

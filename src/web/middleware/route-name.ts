import type { RequestHandler } from 'express';
import { matchEndpoint } from '../../getbill/endpoints.js';
import type { RouteList } from '../route-list.js';

/**
 * Names the route of a request before anything can respond, so that a refusal by middleware is
 * counted under its route, too.
 */
export function routeName(routes: RouteList): RequestHandler {
  function nameOf(method: string, path: string): string | undefined {
    if (path.startsWith('/assets/')) return '/assets';
    if (!path.startsWith('/api/')) return routes.find(path.replace(/(.)\/$/, '$1'))?.path;
    const match = matchEndpoint(method, path.slice('/api'.length));
    return 'endpoint' in match ? `/api${match.endpoint.path}` : '/api';
  }

  return function routeNameMiddleware(req, res, next) {
    res.locals.route = nameOf(req.method, req.path);
    next();
  };
}

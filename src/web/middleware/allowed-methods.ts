import type { RequestHandler } from 'express';
import { RequestError } from '../../errors.js';
import type { RouteList } from '../route-list.js';

/**
 * 405 with `Allow` for a known path and another method, before anything is read, parsed or counted.
 */
export function allowedMethods(routes: RouteList): RequestHandler {
  return function allowedMethodsMiddleware(req, _res, next) {
    const allowed = routes.find(req.path)?.methods;
    if (allowed === undefined || allowed.includes(req.method)) return next();
    throw new RequestError('the path does not accept this method', {
      code: 'method_not_allowed',
      status: 405,
      headers: { Allow: allowed.join(', ') },
    });
  };
}

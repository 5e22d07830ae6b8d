import type { RequestHandler } from 'express';
import { RequestError } from '../../errors.js';

/** 405 with `Allow` for a known path (":id" stands for any one segment) and another method; before anything is read, parsed or counted. */
export function allowedMethods(table: Readonly<Record<string, readonly string[]>>): RequestHandler {
  const known = Object.entries(table).map(([path, methods]) => ({
    path: new RegExp(`^${path.replace(':id', '[^/]+')}$`),
    methods,
  }));
  return function allowedMethodsMiddleware(req, _res, next) {
    const allowed = known.find(({ path }) => path.test(req.path))?.methods;
    if (allowed === undefined || allowed.includes(req.method)) return next();
    throw new RequestError('the path does not accept this method', {
      code: 'method_not_allowed',
      status: 405,
      headers: { Allow: allowed.join(', ') },
    });
  };
}

import type { RequestHandler } from 'express';
import type { SetCommonHeaders } from '../common-headers.js';

export function setHeaders(setCommonHeaders: SetCommonHeaders): RequestHandler {
  return function setHeadersMiddleware(_req, res, next) {
    setCommonHeaders(res);
    next();
  };
}

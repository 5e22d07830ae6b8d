import type { RequestHandler } from 'express';
import type { CommonHeaders } from '../common-headers.js';

export function setHeaders({ set }: CommonHeaders): RequestHandler {
  return function setHeadersMiddleware(_req, res, next) {
    set(res);
    next();
  };
}

import type { RequestHandler } from 'express';
import { RequestError } from '../../errors.js';

/**
 * RFC 9112 section 3.2: a request with several lines of `Host` is 400. Node refuses one with none,
 * and takes the first of several.
 */
export function oneHost(): RequestHandler {
  return function oneHostMiddleware({ rawHeaders }, _res, next) {
    let lines = 0;
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const name = rawHeaders[index] ?? '';
      if (name.length === 4 && name.toLowerCase() === 'host') lines += 1;
    }
    if (lines <= 1) return next();
    throw new RequestError('several lines of Host', { code: 'bad_request', status: 400 });
  };
}

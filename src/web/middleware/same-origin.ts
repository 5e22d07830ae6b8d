import type { RequestHandler } from 'express';
import type { Config } from '../../config/config.js';
import { RequestError } from '../../errors.js';
import type { Emit } from '../../events.js';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Refuses unsafe requests that say they come from elsewhere, even with a good CSRF token. Without either header the token decides. */
export function sameOrigin({ publicUrl, emit }: Pick<Config, 'publicUrl'> & { emit: Emit }): RequestHandler {
  return function sameOriginMiddleware(req, _res, next) {
    const site = req.get('sec-fetch-site');
    const origin = req.get('origin') ?? publicUrl.origin;
    // Our own forms come with "Origin: null", because we send Referrer-Policy: no-referrer; then Sec-Fetch-Site vouches.
    const foreign =
      (site !== undefined && site !== 'same-origin' && site !== 'none') ||
      (origin !== publicUrl.origin && !(origin === 'null' && site === 'same-origin'));
    if (foreign && !SAFE.has(req.method)) {
      emit({ type: 'request_refused', reason: 'foreign_origin', route: req.path });
      throw new RequestError('the request comes from another site', { code: 'foreign_origin', status: 403 });
    }
    next();
  };
}

import type { Request, RequestHandler } from 'express';
import type { Config } from '../../config/config.js';
import { RequestError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { isForeignSite } from '../request-kind.js';
import { originOf } from '../request-origin.js';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses unsafe requests that say they come from elsewhere, even with a good CSRF token. A request
 * that says nothing (no header, or `Origin: null`) is left to the CSRF token.
 */
export function sameOrigin({
  publicUrl,
  emit,
}: Pick<Config, 'publicUrl'> & { emit: Emit }): RequestHandler {
  return function sameOriginMiddleware(req, _res, next) {
    if (!SAFE.has(req.method) && (isForeignSite(req) || isForeignOrigin(req, publicUrl))) {
      emit({ type: 'request_refused', reason: 'foreign_origin', route: req.path });
      throw new RequestError('the request comes from another site', {
        code: 'foreign_origin',
        status: 403,
        hint: `Origin must be ${publicUrl.origin} (PUBLIC_URL) or not said, Sec-Fetch-Site same-origin, none or not said`,
      });
    }
    next();
  };
}

/**
 * `null` says nothing: our own forms send it, because of `Referrer-Policy: no-referrer`, and so do
 * sandboxed frames, which have no CSRF token.
 */
function isForeignOrigin(req: Request, publicUrl: URL): boolean {
  const origin = req.get('origin') ?? '';
  return !['', 'null'].includes(origin) && originOf(origin) !== publicUrl.origin;
}

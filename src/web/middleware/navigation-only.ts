import type { RequestHandler } from 'express';
import { RequestError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { headerOf } from '../request-kind.js';

/** Refuses the requests of an image, frame, script or fetch: only a person signs in. */
export function navigationOnly({ emit }: { emit: Emit }): RequestHandler {
  return function navigationOnlyMiddleware(req, _res, next) {
    const dest = headerOf(req, 'sec-fetch-dest') ?? 'document';
    const mode = headerOf(req, 'sec-fetch-mode') ?? 'navigate';
    // a browser too old for Sec-Fetch-*
    const wantsImage = req.accepts(['html', 'image/png']) === 'image/png';
    if (dest !== 'document' || mode !== 'navigate' || wantsImage) {
      emit({ type: 'request_refused', reason: 'navigation_only', route: req.path });
      throw new RequestError('not a top-level navigation', {
        code: 'navigation_only',
        status: 403,
      });
    }
    next();
  };
}

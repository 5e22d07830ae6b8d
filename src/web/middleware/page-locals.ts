import type { RequestHandler } from 'express';
import type { Config } from '../../config/config.js';
import { formatsFor } from '../pages/formats.js';
import { navigationOf } from '../pages/pages.js';

/** What every page needs: its links, whether somebody is signed in, the sign-out form's token. */
export function pageLocals(
  config: Pick<Config, 'flowInspector' | 'tour' | 'getbill' | 'webhooks'>,
): RequestHandler {
  const links = navigationOf(config);
  return function pageLocalsMiddleware(req, res, next) {
    const isSignedIn = req.signedIn !== undefined;
    res.locals.formats = formatsFor(req.acceptsLanguages());
    res.locals['path'] = req.path;
    res.locals['nav'] = links.filter(({ isPublic }) => isPublic || isSignedIn);
    res.locals['signedIn'] = isSignedIn;
    res.locals['csrfToken'] = isSignedIn ? req.csrfToken() : undefined;
    next();
  };
}

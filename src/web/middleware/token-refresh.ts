import type { RequestHandler } from 'express';
import type { TokenManager } from '../../core/tokens/token-manager.js';

/**
 * Puts the session's token set, good now, on `res.locals.tokenSet`: renewed on the way if need be.
 * What it throws (`TokenManager.fresh`) the error page turns into a redirect to sign in, 401 JSON, 502 or 503.
 */
export function tokenRefresh({ tokens }: { tokens: Pick<TokenManager, 'fresh'> }): RequestHandler {
  return async function tokenRefreshMiddleware(_req, res, next) {
    res.locals.tokenSet = await tokens.fresh(res.locals.grantId);
    next();
  };
}

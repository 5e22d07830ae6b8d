import type { RequestHandler } from 'express';
import type { TokenManager } from '../../core/tokens/token-manager.js';
import type { GrantFacts } from '../../getbill/grant-facts.js';
import { withoutScopes } from '../access.js';

/**
 * Puts the session's token set on `res.locals.tokenSet`: renewed before if need be, and without
 * scopes that turned out not to be granted. The error page turns what it throws
 * (`TokenManager.fresh`) into a redirect to sign in, 401 JSON, 502 or 503.
 */
export function tokenRefresh({
  tokens,
  facts,
}: {
  tokens: Pick<TokenManager, 'fresh'>;
  facts: Pick<GrantFacts, 'read'>;
}): RequestHandler {
  return async function tokenRefreshMiddleware(_req, res, next) {
    const { grantId } = res.locals;
    const tokenSet = await tokens.fresh(grantId);
    const { withheld } = await facts.read(grantId);
    res.locals.tokenSet = withoutScopes(tokenSet, withheld);
    next();
  };
}

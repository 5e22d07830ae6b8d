import type { Request, Response } from 'express';
import type { Access, Visitor } from '../getbill/api-call.js';
import type { TokenManager } from '../core/tokens/token-manager.js';
import type { GrantFacts } from '../getbill/grant-facts.js';
import type { TokenSet } from '../core/oauth/token-set.js';
import { addressOf } from './client-address.js';

export interface AccessDeps {
  readonly tokens: Pick<TokenManager, 'renew'>;
  readonly facts: Pick<GrantFacts, 'read' | 'learnMissingScope'>;
}

/**
 * The session's right to call the API, after the token-refresh middleware. A renewal during a call
 * is put on `res.locals.tokenSet`, so that the page shows what is true when it is rendered.
 */
export function accessOf(
  req: Pick<Request, 'ip'>,
  res: Response,
  { tokens, facts }: AccessDeps,
): Access & { visitor: Visitor } {
  const { grantId } = res.locals;
  return {
    grantId,
    get accessToken() {
      return res.locals.tokenSet.accessToken;
    },
    async renew(rejected) {
      const renewed = await tokens.renew(grantId, rejected);
      const { withheld } = await facts.read(grantId);
      res.locals.tokenSet = withoutScopes(renewed, withheld);
      return renewed;
    },
    visitor: {
      grantId,
      get address() {
        return addressOf(req.ip);
      },
      mayReadCompany: res.locals.tokenSet.scopes.includes('company:read'),
      learnMissingScope: async (scope) => {
        res.locals.tokenSet = withoutScopes(res.locals.tokenSet, [scope]);
        await facts.learnMissingScope(grantId, scope);
      },
    },
  };
}

/** The token set without scopes that GetBill turned out not to have granted. */
export function withoutScopes(tokenSet: TokenSet, withheld: readonly string[]): TokenSet {
  if (withheld.length === 0) return tokenSet;
  return { ...tokenSet, scopes: tokenSet.scopes.filter((scope) => !withheld.includes(scope)) };
}

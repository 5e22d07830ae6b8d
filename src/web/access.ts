import type { Response } from 'express';
import type { Access } from '../getbill/forward.js';
import type { TokenManager } from '../core/tokens/token-manager.js';

/** The session's right to call the API, after the token-refresh middleware. */
export function accessOf(res: Response, tokens: Pick<TokenManager, 'renew'>): Access {
  const { grantId, tokenSet } = res.locals;
  const { accessToken } = tokenSet;
  return { grantId, accessToken, renew: (rejected) => tokens.renew(grantId, rejected) };
}

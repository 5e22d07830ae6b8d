import type { Request, Response } from 'express';
import type { Access } from '../getbill/forward.js';
import type { TokenManager } from '../tokens/token-manager.js';
import { grantIdOf } from './session.js';

/** The session's right to call the API, after the token-refresh middleware. */
export function accessOf(req: Request, res: Response, tokens: Pick<TokenManager, 'renew'>): Access {
  const grantId = grantIdOf(req.sessionID);
  const { accessToken } = res.locals.tokenSet;
  return { grantId, accessToken, renew: (rejected) => tokens.renew(grantId, rejected) };
}

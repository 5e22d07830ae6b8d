import type { Router } from 'express';
import type { GetbillPages } from '../../getbill/client.js';
import type { TokenManager } from '../../tokens/token-manager.js';
import { accessOf } from '../access.js';
import { connectionOf } from '../connection.js';
import { renderPage } from '../render-page.js';
import { createRouter } from '../create-router.js';

export function dashboardRoute({
  getbill,
  tokens,
  marginMs,
}: {
  getbill: Pick<GetbillPages, 'companyProfile'>;
  tokens: Pick<TokenManager, 'renew'>;
  marginMs: number;
}): Router {
  const router = createRouter();
  router.get('/dashboard', async (req, res) => {
    const { tokenSet, requestId } = res.locals;
    const profile = tokenSet.scopes.includes('company:read')
      ? await getbill.companyProfile(accessOf(req, res, tokens), requestId)
      : undefined;
    renderPage(res, 'dashboard', { title: 'Dashboard', profile, connection: connectionOf(tokenSet, { marginMs }) });
  });
  return router;
}

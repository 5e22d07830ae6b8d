import type { Router } from 'express';
import { AppError } from '../../errors.js';
import { createGetbillClient } from '../../getbill/client.js';
import type { Forward } from '../../getbill/forward.js';
import type { ProfileCache } from '../../getbill/profile-cache.js';
import type { TokenManager } from '../../core/tokens/token-manager.js';
import { accessOf } from '../access.js';
import { connectionOf } from '../pages/token-timeline.js';
import { createRouter } from '../create-router.js';
import { renderPage } from '../render-page.js';

export function dashboardRoute({
  forward,
  profiles,
  tokens,
  marginMs,
}: {
  forward: Forward;
  profiles: Pick<ProfileCache, 'get'>;
  tokens: Pick<TokenManager, 'renew'>;
  marginMs: number;
}): Router {
  const router = createRouter();
  router.get('/dashboard', async (_req, res) => {
    const { tokenSet, requestId } = res.locals;
    const access = accessOf(res, tokens);
    const client = createGetbillClient({ forward, accessFor: () => access, requestId });
    const profile = tokenSet.scopes.includes('company:read')
      ? await profiles.get(access.grantId, () => client.companyProfile()).catch(withoutScope)
      : undefined;
    renderPage(res, 'dashboard', { title: 'Dashboard', profile, connection: connectionOf(tokenSet, { marginMs }) });
  });
  return router;
}

/** A token answer without "scope" does not say what was left out at consent; the API's 403 does. */
function withoutScope(error: unknown): undefined {
  if (error instanceof AppError && error.code === 'missing_scope') return undefined;
  throw error;
}

import type { Router } from 'express';
import { AppError } from '../../errors.js';
import { createGetbillClient } from '../../getbill/client.js';
import type { Forward } from '../../getbill/forward.js';
import type { ProfileCache } from '../../getbill/profile-cache.js';
import { accessOf, type AccessDeps } from '../access.js';
import { leftSignal } from '../left-signal.js';
import { connectionOf } from '../pages/token-timeline.js';
import { createRouter } from '../create-router.js';
import { renderPage } from '../render-page.js';

export function dashboardRoute({
  forward,
  profiles,
  access,
  marginMs,
}: {
  forward: Forward;
  profiles: Pick<ProfileCache, 'get'>;
  access: AccessDeps;
  marginMs: number;
}): Router {
  const router = createRouter();
  router.get('/dashboard', async (req, res) => {
    const { tokenSet, requestId } = res.locals;
    const visitorAccess = accessOf(req, res, access);
    const client = createGetbillClient({
      forward,
      accessFor: () => visitorAccess,
      requestId,
      signal: leftSignal(res),
    });
    const profile = tokenSet.scopes.includes('company:read')
      ? await profiles.get(res.locals.grantId, () => client.companyProfile()).catch(withoutScope)
      : undefined;
    renderPage(res, 'dashboard', {
      title: 'Dashboard',
      profile,
      connection: connectionOf(res.locals.tokenSet, { marginMs }),
    });
  });
  return router;
}

/** A token answer without "scope" does not say what was left out at consent; the API's 403 does. */
function withoutScope(error: unknown): undefined {
  if (error instanceof AppError && error.code === 'missing_scope') return undefined;
  throw error;
}

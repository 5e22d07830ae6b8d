import type { Request, Response, Router } from 'express';
import { AppError } from '../../errors.js';
import { createGetbillClient, type GetbillClient } from '../../getbill/client.js';
import type { Forward } from '../../getbill/forward.js';
import { accessOf, type AccessDeps } from '../access.js';
import { leftSignal } from '../left-signal.js';
import { createRouter } from '../create-router.js';
import { renderPage } from '../render-page.js';
import { statuses, statusOf } from '../pages/statuses.js';

const PER_PAGE = 20;

/** The list of debts, and one debt with its follow-ups. What was not granted is said, not hidden. */
export function debtsRoutes({ forward, access }: { forward: Forward; access: AccessDeps }): Router {
  const router = createRouter();
  const clientOf = (req: Request, res: Response): GetbillClient =>
    createGetbillClient({
      forward,
      accessFor: () => accessOf(req, res, access),
      requestId: res.locals.requestId,
      signal: leftSignal(res),
    });

  router.get('/debts', async (req, res) => {
    const client = clientOf(req, res);
    const status = oneOf(req.query['status'], /^[\w.-]{1,64}$/) ?? '';
    const page = Number(oneOf(req.query['page'], /^[1-9]\d{0,5}$/) ?? 1);
    const list = granted(res.locals.tokenSet.scopes, 'debts:read')
      ? await client.debts({ page, limit: PER_PAGE, ...(status !== '' && { status }) }).catch(knownStates)
      : { scopeMissing: true };
    const rateLimited = 'retryAfterS' in list ? list : undefined;
    if (rateLimited !== undefined) res.status(429).set('Retry-After', String(rateLimited.retryAfterS));
    const [debts, pagination] = 'items' in list ? [list.items, list.pagination] : [undefined, undefined];
    renderPage(res, 'debts', { title: 'Debts', debts, pagination, status, statuses, statusOf, rateLimited });
  });

  router.get('/debts/:id', async (req, res) => {
    const client = clientOf(req, res);
    const debt = await client.debt(req.params.id);
    const list = granted(res.locals.tokenSet.scopes, 'followups:read')
      ? await client.followupsOfDebt(req.params.id).catch(knownStates)
      : { scopeMissing: true };
    const rateLimited = 'retryAfterS' in list ? list : undefined;
    const followups = 'items' in list ? list.items : undefined;
    renderPage(res, 'debt', { title: 'Debt', debt, followups, statusOf, rateLimited });
  });

  return router;
}

/** States a page shows by itself; anything else is for the error page. */
function knownStates(error: unknown): { scopeMissing: true } | { retryAfterS: number; shareUsed: boolean } {
  if (error instanceof AppError && error.code === 'missing_scope') return { scopeMissing: true };
  if (error instanceof AppError && error.status === 429)
    return { retryAfterS: error.retryAfterS ?? 60, shareUsed: error.code === 'getbill_share_used' };
  throw error;
}

const granted = (scopes: readonly string[], scope: string): boolean => scopes.includes(scope);

const oneOf = (value: unknown, shape: RegExp): string | undefined =>
  typeof value === 'string' && shape.test(value) ? value : undefined;

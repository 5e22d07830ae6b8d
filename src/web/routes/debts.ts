import type { Request, Response, Router } from 'express';
import { createGetbillClient } from '../../getbill/client.js';
import type { Forward } from '../../getbill/forward.js';
import { accessOf, type AccessDeps } from '../access.js';
import { leftSignal } from '../left-signal.js';
import { createRouter } from '../create-router.js';
import { debtView, followupList } from '../pages/debt.js';
import { debtList, statusFilter } from '../pages/debt-list.js';
import { loadPart, setStatusOf } from '../pages/part.js';
import { renderPage } from '../render-page.js';

const PER_PAGE = 20;

/** The list of debts, and one debt with its follow-ups. What was not granted is said, not hidden. */
export function debtsRoutes({ forward, access }: { forward: Forward; access: AccessDeps }): Router {
  const router = createRouter();
  function apiFor(req: Request, res: Response) {
    const mine = accessOf(req, res, access);
    const { requestId } = res.locals;
    const client = createGetbillClient({ forward, accessFor: () => mine, requestId, signal: leftSignal(res) });
    return { client, withhold: mine.visitor.withhold };
  }

  router.get('/debts', async (req, res) => {
    const { client, withhold } = apiFor(req, res);
    const status = oneOf(req.query['status'], /^[\w.-]{1,64}$/) ?? '';
    const page = Number(oneOf(req.query['page'], /^[1-9]\d{0,5}$/) ?? 1);
    const read = () => client.debts({ page, limit: PER_PAGE, ...(status !== '' && { status }) });
    const list = await loadPart('debts:read', read, { res, withhold, show: (debts) => debtList(debts, status) });
    if ('unavailable' in list && list.unavailable.status !== 429) throw list.unavailable.error; // nothing is left to show
    setStatusOf(res, list);
    renderPage(res, 'debts', { title: 'Debts', list, filter: statusFilter(status) });
  });

  router.get('/debts/:id', async (req, res) => {
    const { client, withhold } = apiFor(req, res);
    const { id } = req.params;
    const debt = await client.debt(id);
    const read = () => client.followupsOfDebt(id);
    const followups = await loadPart('followups:read', read, {
      res,
      withhold,
      show: (list) => followupList(list, debt),
    });
    renderPage(res, 'debt', { title: 'Debt', debt: debtView(debt), followups });
  });

  return router;
}

const oneOf = (value: unknown, shape: RegExp): string | undefined =>
  typeof value === 'string' && shape.test(value) ? value : undefined;

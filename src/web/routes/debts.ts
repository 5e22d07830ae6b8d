import type { Request, RequestHandler, Response } from 'express';
import { createGetbillClient } from '../../getbill/client.js';
import type { Forward } from '../../getbill/forward.js';
import { accessOf, type AccessDeps } from '../access.js';
import { leftSignal } from '../left-signal.js';
import { debtView, followupList } from '../pages/debt.js';
import { debtList, statusFilter } from '../pages/debt-list.js';
import { loadPart, setStatusOf } from '../pages/part.js';
import { renderPage } from '../render-page.js';

const PER_PAGE = 20;

export interface DebtsDeps {
  readonly forward: Forward;
  readonly access: AccessDeps;
}

/** The list of debts. What was not granted is said, not hidden. */
export function listDebts(deps: DebtsDeps): RequestHandler {
  return async function listDebtsHandler(req, res) {
    const { client, withhold } = clientFor(req, res, deps);
    const status = oneOf(req.query['status'], /^[\w.-]{1,64}$/) ?? '';
    const page = Number(oneOf(req.query['page'], /^[1-9]\d{0,5}$/) ?? 1);
    const read = () => client.debts({ page, limit: PER_PAGE, ...(status !== '' && { status }) });
    const list = await loadPart('debts:read', read, { res, withhold, show: (debts) => debtList(debts, status) });
    if ('unavailable' in list && list.unavailable.status !== 429) throw list.unavailable.error; // nothing is left to show
    setStatusOf(res, list);
    renderPage(res, 'debts', { title: 'Debts', list, filter: statusFilter(status) });
  };
}

/** One debt with its follow-ups. */
export function showDebt(deps: DebtsDeps): RequestHandler<{ id: string }> {
  return async function showDebtHandler(req, res) {
    const { client, withhold } = clientFor(req, res, deps);
    const { id } = req.params;
    const debt = await client.debt(id);
    const followups = await loadPart('followups:read', () => client.followupsOfDebt(id), {
      res,
      withhold,
      show: (list) => followupList(list, debt),
    });
    renderPage(res, 'debt', { title: 'Debt', debt: debtView(debt), followups });
  };
}

function clientFor(req: Pick<Request, 'ip'>, res: Response, { forward, access }: DebtsDeps) {
  const mine = accessOf(req, res, access);
  const { requestId } = res.locals;
  const client = createGetbillClient({ forward, accessFor: () => mine, requestId, signal: leftSignal(res) });
  return { client, withhold: mine.visitor.withhold };
}

const oneOf = (value: unknown, shape: RegExp): string | undefined =>
  typeof value === 'string' && shape.test(value) ? value : undefined;

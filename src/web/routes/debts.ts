import type { RequestHandler } from 'express';
import type { DebtFigures } from '../../getbill/debt-figures.js';
import { textOf, fieldOf } from '../../getbill/values.js';
import { apiFor, type PageDeps } from '../api-for.js';
import { debtTitle, debtView } from '../pages/debt.js';
import { followupList } from '../pages/followups.js';
import { debtList } from '../pages/debt-list.js';
import { statusFilter } from '../pages/status-filter.js';
import { backLinkFrom, isStatus, listPlaceOf, listTitle } from '../pages/list-place.js';
import { dataOf, mapPart } from '../pages/part.js';
import { readerOf } from '../pages/reader.js';
import { renderPage, throwWithinPage } from '../render-page.js';

/**
 * The list of debts. What was not granted is said, not hidden; a list that fails leaves the filter
 * and the look-up.
 */
export function listDebts(
  deps: PageDeps & { figures: Pick<DebtFigures, 'lastCounts'> },
): RequestHandler {
  return async function listDebtsHandler(req, res) {
    const { id } = req.query;
    if (typeof id === 'string' && /^[\w-]{1,128}$/.test(id.trim())) {
      return res.redirect(303, `/debts/${id.trim()}`); // the look-up by id
    }
    const { client, part } = apiFor(req, res, deps);
    const reader = readerOf(res, deps.now);
    const place = listPlaceOf(req.query);
    const { status, page, limit } = place;
    const list = await part('debts:read', () =>
      client.debts({ page, limit, ...(status !== '' && { status }) }),
    );
    const seen = (dataOf(list)?.items ?? []).map((debt) => textOf(fieldOf(debt, 'status')));
    const shown = {
      title: listTitle(place, reader),
      badId: typeof id === 'string' && id.trim() !== '' ? id.slice(0, 128) : undefined,
      filter: statusFilter(place, {
        counts: deps.figures.lastCounts(res.locals.grantId),
        seen: seen.filter(isStatus),
        formats: reader.formats,
      }),
    };
    if ('unavailable' in list) {
      return throwWithinPage(res, 'debts', { ...shown, error: list.unavailable.error });
    }
    const view = mapPart(list, (debts) => debtList(debts, place, reader));
    renderPage(res, 'debts', { ...shown, list: view });
  };
}

/** One debt with its follow-ups. */
export function showDebt(deps: PageDeps): RequestHandler<{ id: string }> {
  return async function showDebtHandler(req, res) {
    const { client, part } = apiFor(req, res, deps);
    const reader = readerOf(res, deps.now);
    const { id } = req.params;
    const debt = await client.debt(id);
    const followups = await part('followups:read', () =>
      client.followupsOfDebt(id, { limit: 100 }),
    );
    renderPage(res, 'debt', {
      title: debtTitle(debt, reader),
      back: backLinkFrom(req.query['from'], reader),
      debt: debtView(debt, reader),
      followups: mapPart(followups, (list) => followupList(list, debt, reader)),
    });
  };
}

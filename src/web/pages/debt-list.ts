import { fieldOf, textOf } from '../../getbill/values.js';
import type { Page, Pagination } from '../../getbill/types.js';
import { countText, formats, type DateText } from './formats.js';
import { statusOf, statuses, type Status } from './statuses.js';

/** One row of the list; what GetBill did not give is `undefined`. */
export interface DebtRow {
  readonly name: string;
  /** Missing where the id is none that an address can hold. */
  readonly href: string | undefined;
  readonly company: string | undefined;
  readonly reference: string | undefined;
  readonly due: DateText | undefined;
  readonly status: Status | undefined;
  readonly amount: string | undefined;
}

export interface DebtList {
  readonly kicker: string;
  readonly rows: readonly DebtRow[];
  readonly unreadable: number;
  /** Missing for a single page. */
  readonly pager: Pager | undefined;
  /** Said instead of an empty list. */
  readonly empty:
    { readonly title: string; readonly text: string; readonly href?: string; readonly action?: string } | undefined;
}

export interface Pager {
  readonly text: string;
  readonly previous: string | undefined;
  readonly next: string | undefined;
}

export const NO_NAME = 'No name given';

/** The person, else the company; never blank, because the name is what is clicked. */
export function nameOf(debt: unknown, { civility = false } = {}): { person: string | undefined; name: string } {
  const names = civility ? ['civility', 'firstname', 'lastname'] : ['firstname', 'lastname'];
  const given = names.map((name) => textOf(fieldOf(debt, name))).filter((text) => text !== undefined);
  const person = given.length > 0 ? given.join(' ') : undefined;
  return { person, name: person ?? textOf(fieldOf(debt, 'debtor_company')) ?? NO_NAME };
}

export function debtRow(debt: unknown): DebtRow {
  const field = (name: string): unknown => fieldOf(debt, name);
  const { name } = nameOf(debt);
  const company = textOf(field('debtor_company'));
  const status = textOf(field('status'));
  return {
    name,
    href: hrefOf(field('id')),
    company: company === name ? undefined : company,
    reference: textOf(field('invoice_reference')) ?? textOf(field('internal_id')),
    due: formats.date(field('due_date')),
    status: status === undefined ? undefined : statusOf(status),
    amount: formats.money(field('amount'), field('currency'), field('amount_text')),
  };
}

/** Ids are opaque and URL-safe; anything else has no page of ours. */
function hrefOf(id: unknown): string | undefined {
  const text = textOf(id) ?? '';
  return /^[A-Za-z0-9_-]{1,128}$/.test(text) ? `/debts/${text}` : undefined;
}

export function listHref({ status, page = 1 }: { status?: string; page?: number }): string {
  const query = new URLSearchParams({ ...(status && { status }), ...(page > 1 && { page: String(page) }) }).toString();
  return query === '' ? '/debts' : `/debts?${query}`;
}

export function debtList({ items, pagination, unreadable = 0 }: Page<unknown>, status: string): DebtList {
  const filter = status === '' ? undefined : statusOf(status).label;
  const total = pagination.total === 1 ? '1 debt' : `${countText(pagination.total)} debts`;
  const isEmpty = items.length === 0 && unreadable === 0;
  return {
    kicker: filter === undefined ? total : `${total} · ${filter}`,
    rows: items.map(debtRow),
    unreadable,
    pager: isEmpty ? undefined : pagerOf(pagination, status),
    empty: isEmpty ? emptyOf(pagination, filter, status) : undefined,
  };
}

function pagerOf({ page, pages }: Pagination, status: string): Pager | undefined {
  if (pages <= 1) return undefined;
  return {
    text: `Page ${countText(page)} of ${countText(pages)}`,
    previous: page > 1 ? listHref({ status, page: page - 1 }) : undefined,
    next: page < pages ? listHref({ status, page: page + 1 }) : undefined,
  };
}

function emptyOf({ total, page, pages }: Pagination, filter: string | undefined, status: string): DebtList['empty'] {
  if (total > 0 && page > 1) {
    return {
      title: `There is no page ${countText(page)}`,
      text: `The list ends at page ${countText(pages)}.`,
      href: listHref({ status }),
      action: 'Go to the first page',
    };
  }
  if (filter !== undefined) {
    return {
      title: 'No debts with this status',
      text: `None of your debts is “${filter}” at the moment.`,
      href: '/debts',
      action: 'Show all debts',
    };
  }
  return { title: 'No debts yet', text: 'As soon as your company has debts at GetBill, they are listed here.' };
}

export interface StatusFilter {
  readonly current: string;
  readonly links: readonly { readonly href: string; readonly label: string; readonly isCurrent: boolean }[];
}

export function statusFilter(status: string): StatusFilter {
  const all = { href: '/debts', label: 'All', isCurrent: status === '' };
  const links = statuses.map(({ value, label }) => ({
    href: listHref({ status: value }),
    label,
    isCurrent: value === status,
  }));
  return { current: status === '' ? 'All' : statusOf(status).label, links: [all, ...links] };
}

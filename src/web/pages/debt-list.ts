import type { Page, Pagination } from '../../getbill/types.js';
import { debtRow, type DebtRow } from './debt-row.js';
import type { Formats } from './formats.js';
import { listHref, PAGE_SIZES, type ListPlace } from './list-place.js';
import type { Reader } from './reader.js';
import { statusOf } from './statuses.js';

export interface DebtList {
  readonly kicker: string;
  readonly rows: readonly DebtRow[];
  readonly unreadable: number;
  readonly pager: Pager | undefined;
  /** Said instead of an empty list. */
  readonly empty: EmptyList | undefined;
}

export interface EmptyList {
  readonly title: string;
  readonly text: string;
  readonly href?: string;
  readonly action?: string;
}

export interface Pager {
  /** "21 to 40 of 1,247" */
  readonly range: string;
  /** "Page 2 of 63" */
  readonly text: string;
  /** First, previous, next and last; without `href` where there is none. */
  readonly before: readonly PagerLink[];
  readonly after: readonly PagerLink[];
  readonly sizes: readonly { readonly text: string; readonly href: string; isCurrent: boolean }[];
}

interface PagerLink {
  readonly label: string;
  readonly rel?: 'prev' | 'next';
  readonly href: string | undefined;
}

export function debtList(
  { items, pagination: said, unreadable = 0 }: Page<unknown>,
  place: ListPlace,
  reader: Reader,
): DebtList {
  const { formats } = reader;
  const pagination = withWhatCame(said, items.length + unreadable);
  const filter = place.status === '' ? undefined : statusOf(place.status).label;
  const total = pagination.total === 1 ? '1 debt' : `${formats.count(pagination.total)} debts`;
  const isEmpty = items.length === 0 && unreadable === 0;
  const from = listHref(place).replace(/^\/debts\??/, '');
  return {
    kicker: filter === undefined ? total : `${total} · ${filter}`,
    rows: items.map((debt) => debtRow(debt, reader, from)),
    unreadable,
    pager: isEmpty ? undefined : pagerOf(pagination, items.length + unreadable, place, formats),
    empty: isEmpty ? emptyOf(pagination, filter, place, formats) : undefined,
  };
}

/** GetBill's count, but never less than it has sent: no page says "21 to 50 of 25". */
function withWhatCame({ total, page, pages, limit }: Pagination, rows: number): Pagination {
  const all = rows === 0 ? total : Math.max(total, (page - 1) * limit + rows);
  return { total: all, page, limit, pages: Math.max(pages, Math.ceil(all / limit)) };
}

function pagerOf(
  { total, page, pages, limit }: Pagination,
  rows: number,
  { status, limit: size }: ListPlace,
  { count }: Formats,
): Pager | undefined {
  if (pages <= 1 && total <= PAGE_SIZES[0]) return undefined;
  const to = (target: number): string | undefined =>
    target >= 1 && target <= pages && target !== page
      ? listHref({ status, page: target, limit: size })
      : undefined;
  const first = (page - 1) * limit + 1;
  return {
    range: `${count(first)} to ${count(first + rows - 1)} of ${count(total)}`,
    text: `Page ${count(page)} of ${count(Math.max(1, pages))}`,
    before: [
      { label: 'First', href: to(1) },
      { label: 'Previous', rel: 'prev', href: to(page - 1) },
    ],
    after: [
      { label: 'Next', rel: 'next', href: to(page + 1) },
      { label: 'Last', href: to(pages) },
    ],
    sizes: PAGE_SIZES.map((each) => ({
      text: String(each),
      href: listHref({ status, limit: each, page: Math.floor((first - 1) / each) + 1 }),
      isCurrent: each === size,
    })),
  };
}

function emptyOf(
  { total, page, pages }: Pagination,
  filter: string | undefined,
  { status, limit }: ListPlace,
  { count }: Formats,
): EmptyList {
  if (total > 0 && page > 1) {
    return {
      title: `There is no page ${count(page)}`,
      text: `The list ends at page ${count(pages)}.`,
      href: listHref({ status, limit }),
      action: 'Go to the first page',
    };
  }
  if (total > 0) {
    return {
      title: 'None of them came',
      text: 'GetBill counts them, and sent an empty list.',
      href: listHref({ status, limit }),
      action: 'Try again',
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
  return {
    title: 'No debts yet',
    text: 'As soon as your company has debts at GetBill, they are listed here.',
  };
}

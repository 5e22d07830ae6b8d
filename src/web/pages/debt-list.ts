import { dayOf } from '../../getbill/dates.js';
import { isEnded } from '../../getbill/debt-figures.js';
import type { Page, Pagination } from '../../getbill/types.js';
import { fieldOf, textOf } from '../../getbill/values.js';
import type { DateText, Formats } from './formats.js';
import { UNKNOWN_READER, type Reader } from './reader.js';
import { statusOf, statuses, type Status } from './statuses.js';

const DAY_MS = 86_400_000;

/** Rows of one page that a reader can choose. */
const PAGE_SIZES = [20, 50, 100] as const;
const DEFAULT_SIZE = 20;

/** Which part of the list is looked at. */
export interface ListPlace {
  /** Empty: all. */
  readonly status: string;
  readonly page: number;
  readonly limit: number;
}

/** One row of the list; what GetBill did not give is `undefined`. */
export interface DebtRow {
  readonly name: string;
  /** Missing where the id is none that an address can hold. */
  readonly href: string | undefined;
  readonly company: string | undefined;
  readonly reference: string | undefined;
  readonly due: DateText | undefined;
  /** "12 days overdue"; missing for a debt that has ended. */
  readonly overdue: string | undefined;
  readonly status: Status | undefined;
  /** The list of all debts with this status. */
  readonly statusHref: string | undefined;
  readonly amount: string | undefined;
}

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

const NO_NAME = 'No name given';

/** The person, else the company; never blank, because the name is what is clicked. */
export function nameOf(
  debt: unknown,
  { civility = false } = {},
): { person: string | undefined; name: string } {
  const names = civility ? ['civility', 'firstname', 'lastname'] : ['firstname', 'lastname'];
  const given = names
    .map((name) => textOf(fieldOf(debt, name)))
    .filter((text) => text !== undefined);
  const person = given.length > 0 ? given.join(' ') : undefined;
  return { person, name: person ?? textOf(fieldOf(debt, 'debtor_company')) ?? NO_NAME };
}

/** `from`: the list that a debt's page leads back to. */
export function debtRow(debt: unknown, reader: Reader = UNKNOWN_READER, from = ''): DebtRow {
  const { formats } = reader;
  const field = (name: string): unknown => fieldOf(debt, name);
  const { name } = nameOf(debt);
  const company = textOf(field('debtor_company'));
  const status = textOf(field('status'));
  return {
    name,
    href: hrefOf(field('id'), from),
    company: company === name ? undefined : company,
    reference: textOf(field('invoice_reference')) ?? textOf(field('internal_id')),
    due: formats.date(field('due_date')),
    overdue: overdueText(debt, reader),
    status: status === undefined ? undefined : statusOf(status),
    statusHref: isStatus(status) ? listHref({ status }) : undefined,
    amount: formats.money(field('amount'), field('currency'), field('amount_text')),
  };
}

export function overdueText(debt: unknown, { formats, nowMs }: Reader): string | undefined {
  const due = dayOf(fieldOf(debt, 'due_date'));
  if (due === undefined || isEnded(fieldOf(debt, 'status'))) return undefined;
  const days = Math.floor((nowMs - due.getTime()) / DAY_MS);
  if (days <= 0) return undefined;
  return days === 1 ? '1 day overdue' : `${formats.count(days)} days overdue`;
}

const ID = /^[A-Za-z0-9_-]{1,128}$/;

/** Ids are opaque and URL-safe; anything else has no page of ours. */
function hrefOf(id: unknown, from: string): string | undefined {
  const text = textOf(id) ?? '';
  if (!ID.test(text)) return undefined;
  return from === '' ? `/debts/${text}` : `/debts/${text}?from=${encodeURIComponent(from)}`;
}

/** A status as GetBill writes them; what an address of ours can hold. */
export const isStatus = (value: unknown): value is string =>
  typeof value === 'string' && /^[\w.-]{1,64}$/.test(value);

/** The address of a part of the list. What is the default is left out. */
export function listHref({ status = '', page = 1, limit = DEFAULT_SIZE }: Partial<ListPlace>) {
  const query = new URLSearchParams({
    ...(status !== '' && { status }),
    ...(page > 1 && { page: String(page) }),
    ...(limit !== DEFAULT_SIZE && { limit: String(limit) }),
  }).toString();
  return query === '' ? '/debts' : `/debts?${query}`;
}

/** Which part of the list a query asks for; what it cannot mean is the default. */
export function listPlaceOf(query: Readonly<Record<string, unknown>>): ListPlace {
  const { status, page, limit } = query;
  const pageNumber = typeof page === 'string' && /^[1-9]\d{0,5}$/.test(page) ? Number(page) : 1;
  return {
    status: isStatus(status) ? status : '',
    page: pageNumber,
    limit: PAGE_SIZES.find((size) => String(size) === limit) ?? DEFAULT_SIZE,
  };
}

/** "Paid debts, page 2" */
export function listTitle({ status, page }: ListPlace, { formats }: Reader): string {
  const what = status === '' ? 'Debts' : `Debts: ${statusOf(status).label}`;
  return page > 1 ? `${what}, page ${formats.count(page)}` : what;
}

export function debtList(
  { items, pagination, unreadable = 0 }: Page<unknown>,
  place: ListPlace,
  reader: Reader = UNKNOWN_READER,
): DebtList {
  const { formats } = reader;
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

export interface StatusFilter {
  readonly current: string;
  readonly links: readonly StatusLink[];
}

interface StatusLink {
  readonly href: string;
  readonly label: string;
  readonly isCurrent: boolean;
  readonly colour: Status['colour'] | undefined;
  /** Missing while it is not known. */
  readonly count: string | undefined;
}

/**
 * `counts`: as the dashboard has counted them lately. Statuses of the company's own are in the list
 * when one was counted, is on the page or is chosen.
 */
export function statusFilter(
  { status, limit }: ListPlace,
  {
    counts = new Map<string, number>(),
    seen = [],
    formats = UNKNOWN_READER.formats,
  }: {
    counts?: ReadonlyMap<string, number> | undefined;
    seen?: readonly string[];
    formats?: Formats;
  } = {},
): StatusFilter {
  const known = new Set(statuses.map(({ value }) => value));
  const own = [...counts.keys(), ...seen, status].filter(
    (value) => isStatus(value) && !known.has(value),
  );
  const all = [...statuses, ...[...new Set(own)].map((value) => statusOf(value))];
  const links = all.map(({ value, label, colour }): StatusLink => {
    const count = counts.get(value);
    return {
      href: listHref({ status: value, limit }),
      label,
      colour,
      isCurrent: value === status,
      count: count === undefined ? undefined : formats.count(count),
    };
  });
  const everything: StatusLink = {
    href: listHref({ limit }),
    label: 'All',
    isCurrent: status === '',
    colour: undefined,
    count: undefined,
  };
  return {
    current: status === '' ? 'All' : statusOf(status).label,
    links: [everything, ...links],
  };
}

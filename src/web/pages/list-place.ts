import type { Reader } from './reader.js';
import { statusOf } from './statuses.js';

/** Rows of one page that a reader can choose. */
export const PAGE_SIZES = [20, 50, 100] as const;
const DEFAULT_SIZE = 20;

/** The part of the list that is shown. */
export interface ListPlace {
  /** Empty: all. */
  readonly status: string;
  readonly page: number;
  readonly limit: number;
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

/** The part of the list that a query asks for. Values that make no sense count as absent. */
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

/** The list that a debt's page leads back to. */
export interface BackLink {
  readonly href: string;
  readonly label: string;
}

/**
 * `from`: the query of the list, as `debtRow` writes it. Parsed, never copied, so that the link
 * leads to the list alone.
 */
export function backLinkFrom(from: unknown, reader: Reader): BackLink {
  const text = typeof from === 'string' ? from.slice(0, 200) : '';
  const place = listPlaceOf(Object.fromEntries(new URLSearchParams(text)));
  return { href: listHref(place), label: listTitle(place, reader) };
}

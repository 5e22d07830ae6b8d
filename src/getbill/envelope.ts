import { GetbillApiError, UnavailableError } from '../errors.js';
import type { Page, PageRequest, Pagination } from './types.js';
import { fieldOf, isRecord, numberOf, textOf } from './values.js';

const DEFAULT_PER_PAGE = 20;
/**
 * Ten times what GetBill sends at most. The entries of 1 MiB, shown on a page, would hold up
 * everybody for seconds.
 */
const MAX_ENTRIES = 1_000;
/** No list is longer: a larger number counts as missing. */
const MAX_COUNT = 1_000_000_000;

/** `{error, message, data}`. */
export function unwrapItem(json: unknown): object {
  const data = fieldOf(json, 'data');
  if (!isRecord(data)) throw unexpectedShape('data');
  return data;
}

/** `{error, data: [...]}`. An entry that is no record is left out; the others stay. */
export function unwrapList(json: unknown): { items: object[]; entries: number } {
  const data = fieldOf(json, 'data');
  if (!Array.isArray(data)) throw unexpectedShape('data');
  return { items: data.filter(isRecord), entries: data.length };
}

/** A debtor or creditor comes one level deeper, at `data.data`. */
export function unwrapNested(json: unknown): object {
  const outer = unwrapItem(json);
  const inner = fieldOf(outer, 'data');
  return isRecord(inner) ? inner : outer;
}

/** `{error, data: [...], pagination}`. */
export function unwrapPage<Item>(json: unknown, request: PageRequest = {}): Page<Item> {
  const { items, entries } = unwrapList(json);
  if (entries > MAX_ENTRIES) throw unexpectedShape('data');
  return {
    items: items as Item[],
    pagination: paginationOf(fieldOf(json, 'pagination'), { ...request, entries }),
    unreadable: entries - items.length,
  };
}

/** Numbers may come as text. A missing one is derived from the request and from what came. */
function paginationOf(value: unknown, request: PageRequest & { entries: number }): Pagination {
  const count = (name: string): number | undefined => {
    const number = numberOf(fieldOf(value, name));
    return number !== undefined && number >= 0 && number <= MAX_COUNT
      ? Math.ceil(number)
      : undefined;
  };
  const page = Math.max(1, count('page') ?? request.page ?? 1);
  const limit = Math.max(1, count('limit') ?? request.limit ?? DEFAULT_PER_PAGE);
  const total = count('total');
  const pagesOfTotal = total === undefined ? undefined : Math.ceil(total / limit);
  const isFull = request.entries >= limit;
  const pages = count('pages') ?? pagesOfTotal ?? (isFull ? page + 1 : page);
  return { total: total ?? (page - 1) * limit + request.entries, page, limit, pages };
}

/**
 * Both documented shapes of field errors: `details` (a map of lists; a text counts as a list of
 * one) and `errors` (a list of {property, message}).
 */
export function errorFrom(
  json: unknown,
  { status, retryAfter }: { status: number; retryAfter: string | undefined },
) {
  const fields = new Map<string, string[]>();
  const details = fieldOf(json, 'details');
  for (const [field, value] of Object.entries(isRecord(details) ? details : { '': details })) {
    const texts = Array.isArray(value) ? value : [value];
    if (textOf(value) !== undefined) fields.set(field, texts.map(shown));
  }
  const errors = fieldOf(json, 'errors');
  for (const entry of Array.isArray(errors) ? errors : []) {
    if (!isRecord(entry)) continue;
    const field = shown(entry['property']);
    const texts = fields.get(field) ?? [];
    texts.push(shown(entry['message']));
    fields.set(field, texts);
  }
  const retryAfterS = numberOf(retryAfter);
  return new GetbillApiError({
    status,
    message: textOf(fieldOf(json, 'message')) ?? `the API answered ${status}`,
    fields: Object.fromEntries(fields),
    ...(retryAfterS !== undefined && { retryAfterS }),
  });
}

const shown = (value: unknown): string => textOf(value) ?? '';

const unexpectedShape = (part: string): UnavailableError =>
  new UnavailableError(`the API response has no usable "${part}"`, {
    code: 'answer_unexpected_shape',
    status: 502,
  });

import { GetbillApiError, UnavailableError } from '../errors.js';
import type { Page, Pagination } from './types.js';

/** `{error, message, data}`; a debtor or creditor comes one level deeper, at `data.data`. */
export function unwrapItem(json: unknown): object {
  const data = isRecord(json) ? json['data'] : undefined;
  const inner = isRecord(data) && isRecord(data['data']) ? data['data'] : data;
  if (typeof inner !== 'object' || inner === null) throw unexpectedShape('data');
  return inner;
}

/** `{error, data: [...], pagination}`. */
export function unwrapPage<Item>(json: unknown): Page<Item> {
  const { data, pagination } = isRecord(json) ? json : {};
  if (!Array.isArray(data)) throw unexpectedShape('data');
  if (!isPagination(pagination)) throw unexpectedShape('pagination');
  return { items: data as Item[], pagination };
}

/** Both documented shapes of field errors: `details` (a map of lists) and `errors` (a list of {property, message}). */
export function errorFrom(json: unknown, { status, retryAfter }: { status: number; retryAfter: string | undefined }) {
  const { message, details, errors } = isRecord(json) ? json : {};
  const fields: Record<string, string[]> = {};
  for (const [field, texts] of Object.entries(isRecord(details) ? details : {})) {
    if (Array.isArray(texts)) fields[field] = texts.map(String);
  }
  for (const entry of Array.isArray(errors) ? errors : []) {
    if (isRecord(entry)) (fields[String(entry['property'])] ??= []).push(String(entry['message']));
  }
  return new GetbillApiError({
    status,
    message: typeof message === 'string' ? message : `the API answered ${status}`,
    fields,
    ...(retryAfter !== undefined && { retryAfterS: Number(retryAfter) }),
  });
}

function isPagination(value: unknown): value is Pagination {
  return isRecord(value) && ['total', 'page', 'limit', 'pages'].every((name) => typeof value[name] === 'number');
}

const unexpectedShape = (part: string): UnavailableError =>
  new UnavailableError(`the API answer has no usable "${part}"`, { code: 'answer_unexpected_shape', status: 502 });

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

import type { Faults } from '../faults.js';

export interface ApiResponse {
  status: number;
  body: Record<string, unknown>;
  /** The body as it is sent, once it was. */
  bytes?: Buffer;
}

export const success = (data: unknown, message = 'Success'): ApiResponse => ({
  status: 200,
  body: { error: false, message, data },
});

/** get-debtor, get-creditor and update-debtor wrap their object twice. */
export const nested = (data: unknown, innerMessage?: string): ApiResponse =>
  success(innerMessage === undefined ? { data } : { data, message: innerMessage });

export const failure = (
  status: number,
  message: string,
  details?: Record<string, unknown>,
): ApiResponse => ({
  status,
  body: { error: true, message, code: status, ...(details !== undefined && { details }) },
});

export const invalid = (details: Record<string, string[]>): ApiResponse =>
  failure(400, 'Validation failed', details);

export const unauthorized = (): ApiResponse =>
  failure(401, 'Authentication credentials are missing or invalid');

export const missingScope = (scope: string): ApiResponse =>
  failure(403, `Required scope "${scope}" not found in token`);

/** GetBill's own text is not documented. */
export const notFound = (what: string): ApiResponse => failure(404, `${what} not found`);

interface PageRequest {
  query: URLSearchParams;
  limitAbove100: Faults['limitAbove100'];
}

/** One page of a list. What GetBill does with page 0, limit 101 or `total` 0 is not documented. */
export function page(
  items: readonly unknown[],
  { query, limitAbove100 }: PageRequest,
): ApiResponse {
  const pageNumber = positiveInteger(query.get('page') ?? '1');
  const limit = positiveInteger(query.get('limit') ?? '20');
  if (pageNumber === undefined)
    return invalid({ page: ['This value should be a positive integer.'] });
  if (limit === undefined || (limit > 100 && limitAbove100 === 'refuse')) {
    return invalid({ limit: ['This value should be between 1 and 100.'] });
  }
  const size = Math.min(limit, 100);
  const data = items.slice((pageNumber - 1) * size, pageNumber * size);
  const pagination = {
    total: items.length,
    page: pageNumber,
    limit: size,
    pages: Math.ceil(items.length / size),
  };
  return { status: 200, body: { error: false, data, pagination } };
}

const positiveInteger = (text: string): number | undefined =>
  /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;

import type { ApiResponse } from '../api/envelope.js';

const TYPES: Readonly<Record<string, string>> = {
  'POST /debts': 'debt.created',
  'PUT /debts/:id': 'debt.updated',
  'POST /followups': 'followup.created',
  'PUT /followups/:id': 'followup.updated',
};

/** The webhooks that GetBill documents for a write through the API. */
export function webhooksOf(
  { method, path }: { method: string; path: string },
  { status, body }: ApiResponse,
  statusBefore: unknown,
): { type: string; data: object }[] {
  const type = TYPES[`${method} ${path}`];
  const { data } = body;
  if (type === undefined || status >= 300 || typeof data !== 'object' || data === null) return [];
  const after = (data as { status?: unknown }).status;
  const isOther = type === 'debt.updated' && statusBefore !== undefined && after !== statusBefore;
  return [{ type, data }, ...(isOther ? [{ type: 'debt.status_changed', data }] : [])];
}

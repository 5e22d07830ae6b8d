import type { ApiResponse } from '../api/envelope.js';
import type { Debt } from '../api/data/types.js';

interface Webhook {
  type: string;
  data: object;
}

const TYPES: Readonly<Record<string, string>> = {
  'POST /debts': 'debt.created',
  'PUT /debts/:id': 'debt.updated',
  'POST /followups': 'followup.created',
  'PUT /followups/:id': 'followup.updated',
};

/**
 * The webhooks that GetBill documents for a write through the API. It documents none for a
 * deletion, nor for debtors and creditors.
 */
export function webhooksOf(
  { method, path }: { method: string; path: string },
  { status, body }: ApiResponse,
  { statusBefore, debtOf }: { statusBefore: unknown; debtOf: (id: string) => Debt | undefined },
): Webhook[] {
  const { data } = body;
  if (status >= 300 || typeof data !== 'object' || data === null) return [];
  if (`${method} ${path}` === 'POST /debts/batch') return createdIn(data, debtOf);
  const type = TYPES[`${method} ${path}`];
  if (type === undefined) return [];
  const after = (data as { status?: unknown }).status;
  const isOther = type === 'debt.updated' && statusBefore !== undefined && after !== statusBefore;
  return [{ type, data }, ...(isOther ? [{ type: 'debt.status_changed', data }] : [])];
}

/** One for each row that became a debt, as if it had been created by itself. */
function createdIn(data: object, debtOf: (id: string) => Debt | undefined): Webhook[] {
  const { created } = data as { created: { debt_id: string }[] };
  return created.flatMap(({ debt_id: id }) => {
    const debt = debtOf(id);
    return debt === undefined ? [] : [{ type: 'debt.created', data: debt }];
  });
}

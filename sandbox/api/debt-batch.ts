import { failure, invalid, success, type ApiResponse } from './envelope.js';
import type { ApiCall, Route } from './route.js';

const MAX_DEBTS = 1_000;
const FIELDS_SHOWN = ['firstname', 'lastname', 'phone', 'email', 'amount', 'currency'];

type Row = Readonly<Record<string, unknown>>;

/**
 * POST /debts/batch: each row by itself, 200 whatever became of them. The shapes of `failed`,
 * `skipped` and `summary` are ours: GetBill's are not documented, but for `errors`.
 */
function createDebts(call: ApiCall, createDebt: (call: ApiCall) => ApiResponse): ApiResponse {
  const { debts, accept_expensive_destination: acceptAll } = call.body;
  if (!Array.isArray(debts) || debts.length === 0)
    return invalid({ debts: ['This value should not be blank.'] });
  if (debts.length > MAX_DEBTS) return failure(400, `At most ${MAX_DEBTS} debts are allowed`);

  const rows = { created: [] as Row[], failed: [] as Row[], skipped: [] as Row[] };
  for (const [index, given] of debts.entries()) {
    const { temp_id, ...debt } = rowOf(given);
    const row = { index, temp_id };
    if (isTemplate(debt)) {
      rows.skipped.push(row);
      continue;
    }
    const body = { ...(acceptAll === true && { accept_expensive_destination: true }), ...debt };
    const response = createDebt({ ...call, body });
    if (response.status >= 400) rows.failed.push({ ...row, errors: errorsOf(response) });
    else rows.created.push({ ...row, ...createdRow(response) });
  }
  const summary = {
    total: debts.length,
    created: rows.created.length,
    failed: rows.failed.length,
    skipped: rows.skipped.length,
  };
  const importId = `enc_imp_${call.newId()}`;
  return success({ import_id: importId, ...rows, summary }, 'Batch operation completed');
}

const rowOf = (given: unknown): Row =>
  typeof given === 'object' && given !== null ? (given as Row) : {};

const isTemplate = (debt: Row): boolean =>
  Object.values(debt).some((value) => value === '*' || value === 'champs obligatoires');

const errorsOf = ({ body }: ApiResponse): unknown => body['details'] ?? [body['message']];

function createdRow({ body }: ApiResponse): Row {
  const debt = body['data'] as Row;
  const data = Object.fromEntries(FIELDS_SHOWN.map((name) => [name, debt[name]]));
  return { debt_id: debt['id'], status: 'valid', data };
}

export const debtBatchRoute = (createDebt: (call: ApiCall) => ApiResponse): Route => ({
  method: 'POST',
  path: '/debts/batch',
  scope: 'debts:write',
  handle: (call) => createDebts(call, createDebt),
});

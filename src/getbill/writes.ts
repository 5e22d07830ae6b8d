import { assertInput } from './check-input.js';
import { unwrapItem, unwrapNested } from './envelope.js';
import type * as T from './types.js';
import { isRecord } from './values.js';
import type {
  CreditorChange,
  DebtChange,
  DebtorChange,
  FollowupChange,
  NewDebt,
  NewDebts,
  NewFollowup,
  writeRules,
} from './write-rules.js';

/**
 * `POST /debts/batch`: the rows by their outcome. GetBill documents no more of them than is named
 * here.
 */
export interface DebtBatchResult {
  readonly import_id?: string;
  readonly created: readonly T.BatchRow[];
  readonly failed: readonly T.BatchRow[];
  /** Rows that GetBill takes for a template's, such as "*". */
  readonly skipped: readonly T.BatchRow[];
}

/**
 * The documented writes of the GetBill API. The body is checked before anything is sent, and sent
 * once; once more only after a 401, which GetBill answers before it does anything. Beside the
 * errors of the reads every method throws
 * @throws {InvalidInputError} by field; nothing was sent.
 * @throws {OutcomeUnknownError} it was sent, and there is no response that says what became of it.
 */
export interface GetbillWrites {
  createDebt(debt: NewDebt): Promise<T.Debt>;
  createDebts(batch: NewDebts): Promise<DebtBatchResult>;
  /** Only the fields that are given change. */
  updateDebt(id: string, change: DebtChange): Promise<T.Debt>;
  /** For good, with the follow-ups of the debt. */
  deleteDebt(id: string): Promise<void>;
  updateDebtor(id: string, change: DebtorChange): Promise<T.Party>;
  updateCreditor(id: string, change: CreditorChange): Promise<T.Party>;
  createFollowup(followup: NewFollowup): Promise<T.Followup>;
  updateFollowup(id: string, change: FollowupChange): Promise<T.Followup>;
}

export type Write = <Result>(
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  body: unknown,
  read: (json: unknown) => Result,
) => Promise<Result>;

export function createWrites(write: Write): GetbillWrites {
  async function send<Result>(
    [method, path]: ['POST' | 'PUT', string],
    rule: keyof typeof writeRules,
    body: unknown,
    read: (json: unknown) => object = unwrapItem,
  ): Promise<Result> {
    assertInput(rule, body);
    return (await write(method, path, body, read)) as Result;
  }

  return {
    createDebt: (debt) => send(['POST', '/debts'], 'newDebt', debt),
    createDebts: (batch) => send(['POST', '/debts/batch'], 'newDebts', batch, batchResult),
    updateDebt: (id, change) => send(['PUT', `/debts/${id}`], 'debtChange', change),
    deleteDebt: (id) => write('DELETE', `/debts/${id}`, undefined, () => undefined),
    updateDebtor: (id, change) =>
      send(['PUT', `/debtors/${id}`], 'debtorChange', change, unwrapNested),
    updateCreditor: (id, change) =>
      send(['PUT', `/creditors/${id}`], 'creditorChange', change, unwrapNested),
    createFollowup: (followup) => send(['POST', '/followups'], 'newFollowup', followup),
    updateFollowup: (id, change) => send(['PUT', `/followups/${id}`], 'followupChange', change),
  };
}

function batchResult(json: unknown): DebtBatchResult {
  const data = unwrapItem(json) as Record<string, unknown>;
  const rows = (name: string): T.BatchRow[] => {
    const list = data[name];
    return Array.isArray(list) ? list.filter(isRecord) : [];
  };
  const { import_id: importId } = data;
  return {
    ...(typeof importId === 'string' && { import_id: importId }),
    created: rows('created'),
    failed: rows('failed'),
    skipped: rows('skipped'),
  };
}

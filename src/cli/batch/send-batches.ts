import { setTimeout as delay } from 'node:timers/promises';
import { AppError, GetbillApiError, OutcomeUnknownError } from '../../errors.js';
import type { NewDebts } from '../../getbill/write-rules.js';
import type { Progress } from '../progress.js';
import type { Client } from '../resources.js';
import {
  applyRefusal,
  applyResult,
  setEntry,
  tempIdOf,
  type IndexedEntry,
} from './batch-outcome.js';
import type { Entry, ReportFile, State } from './report.js';

const MAX_WAITS = 3;
/** After so many calls in a row without a response there is no point in losing sight of more. */
const MAX_UNKNOWN_CALLS = 2;
/** These would meet every other batch as well, and so would a 403 or a 429. */
const REFUSES_ALL = new Set(['api_rejects_token', 'not_found']);

export interface SendOptions {
  readonly client: Pick<Client, 'createDebts'>;
  readonly file: ReportFile;
  readonly states: readonly State[];
  /** Not sent, whatever their state. */
  readonly except?: ReadonlySet<Entry>;
  readonly batchSize: number;
  readonly maxWaitMs: number;
  readonly progress: Progress;
  /** Aborted on Ctrl-C: the call under way ends, no other is begun. */
  readonly stopping: AbortSignal;
}

/**
 * Sends every entry that is in one of `states`, but for `except`, batch after batch.
 * @returns why it stopped before the last one.
 */
export async function sendBatches(options: SendOptions): Promise<AppError | undefined> {
  const { file, states, except, batchSize, progress, stopping } = options;
  const due = file.report.entries.flatMap((entry, index) =>
    states.includes(entry.state) && !except?.has(entry) ? [{ entry, index }] : [],
  );
  const pages = Math.ceil(due.length / batchSize);
  let unknownCalls = 0;
  for (let page = 1; page <= pages && !stopping.aborted; page += 1) {
    const rows = due.slice((page - 1) * batchSize, page * batchSize);
    const fault = await sendBatch(rows, page, options);
    file.save();
    unknownCalls = fault instanceof OutcomeUnknownError ? unknownCalls + 1 : 0;
    const isOver = fault !== undefined && !(fault instanceof OutcomeUnknownError);
    if (isOver || unknownCalls === MAX_UNKNOWN_CALLS) return fault;
    progress.page({ page, pages, limit: batchSize, total: due.length });
  }
  return undefined;
}

/**
 * One call, and once more after each 429: GetBill has then done nothing. @returns the error after
 * which the run ends, or an `OutcomeUnknownError`, of which two in a row end it; nothing where each
 * row has its outcome, or the person stopped it.
 */
async function sendBatch(
  rows: readonly IndexedEntry[],
  page: number,
  options: SendOptions,
): Promise<AppError | undefined> {
  const { file, maxWaitMs, progress, stopping } = options;
  const isStopping = (): boolean => stopping.aborted;
  for (let waits = 0; ; waits += 1) {
    const error = await callOnce(rows, options);
    if (error?.status !== 429 || waits === MAX_WAITS || isStopping()) return error;
    const waitMs = (error.retryAfterS ?? 60) * 1000;
    if (waitMs > maxWaitMs) return error;
    file.save(); // nothing of it is unknown while this waits
    progress.wait({ page, waitMs });
    await delay(waitMs, undefined, { signal: stopping }).catch(() => undefined);
    if (isStopping()) return undefined;
  }
}

/** Every row is unknown during the call. @returns an error that is not the outcome of the rows. */
async function callOnce(
  rows: readonly IndexedEntry[],
  { client, file }: SendOptions,
): Promise<AppError | undefined> {
  const before = rows.map(({ entry }) => ({ ...entry }));
  rows.forEach(({ entry }) => setEntry(entry, { state: 'unknown', debt: entry.debt }));
  file.save();
  try {
    applyResult(rows, await client.createDebts(bodyOf(rows, file)));
    return undefined;
  } catch (error) {
    if (error instanceof OutcomeUnknownError) return error;
    if (!(error instanceof AppError)) throw error;
    rows.forEach(({ entry }, at) => setEntry(entry, before[at] ?? entry));
    if (!refusesThisBatch(error)) return error;
    applyRefusal(rows, error);
    return undefined;
  }
}

function refusesThisBatch(error: AppError): error is GetbillApiError {
  const meetsAll = [403, 429].includes(error.status) || REFUSES_ALL.has(error.code);
  return error instanceof GetbillApiError && !meetsAll;
}

function bodyOf(rows: readonly IndexedEntry[], { report }: ReportFile): NewDebts {
  const { batch_name, accept_expensive_destination } = report;
  const debts = rows.map((row) => ({ ...row.entry.debt, temp_id: tempIdOf(row) }));
  return {
    ...(batch_name !== undefined && { batch_name }),
    ...(accept_expensive_destination !== undefined && { accept_expensive_destination }),
    debts: debts as unknown as NewDebts['debts'],
  };
}

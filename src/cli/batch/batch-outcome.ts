import type { GetbillApiError } from '../../errors.js';
import { numberOf } from '../../getbill/values.js';
import type { BatchRow } from '../../getbill/types.js';
import type { DebtBatchResult } from '../../getbill/writes.js';
import type { Entry, State } from './report.js';

/** An entry of the report, with its place there, as a row of one call. */
export interface IndexedEntry {
  readonly entry: Entry;
  readonly index: number;
}

/** Never that of the file: those may be empty or equal, so that rows could not be told apart. */
export const tempIdOf = ({ index }: IndexedEntry): string => `entry-${index}`;

/** A row that the response does not name stays unknown. */
export function applyResult(rows: readonly IndexedEntry[], result: DebtBatchResult): void {
  const { created, failed, skipped } = result;
  const entryOf = createFinder(rows, [...created, ...failed, ...skipped]);
  const mark = (row: BatchRow, state: State, more: Partial<Entry> = {}): void => {
    const entry = entryOf(row);
    if (entry !== undefined) setEntry(entry, { state, debt: entry.debt, ...more });
  };
  for (const row of skipped) mark(row, 'skipped');
  for (const row of failed) mark(row, 'failed', { errors: row.errors });
  for (const row of created)
    mark(row, 'created', typeof row.debt_id === 'string' ? { debt_id: row.debt_id } : {});
}

/** The entry of a row in the response: by `temp_id`, documented for created rows, or by `index`. */
function createFinder(rows: readonly IndexedEntry[], responseRows: readonly BatchRow[]) {
  const positions = new Map(rows.map((row, position) => [tempIdOf(row), position]));
  const positionOf = ({ temp_id: id }: BatchRow): number | undefined =>
    typeof id === 'string' ? positions.get(id) : undefined;
  const firstIndex = firstIndexOf(responseRows, positionOf, rows.length) ?? NaN;

  return (row: BatchRow): Entry | undefined => {
    const byIndex = (numberOf(row.index) ?? NaN) - firstIndex;
    return rows[positionOf(row) ?? byIndex]?.entry;
  };
}

/** GetBill does not document whether it counts from 0 or from 1: the rows themselves tell. */
function firstIndexOf(
  responseRows: readonly BatchRow[],
  positionOf: (row: BatchRow) => number | undefined,
  sent: number,
): number | undefined {
  for (const row of responseRows) {
    const index = numberOf(row.index);
    const position = positionOf(row);
    if (index !== undefined && position !== undefined) return index - position;
  }
  const indexes = responseRows.map(({ index }) => numberOf(index));
  if (indexes.includes(0)) return 0;
  return indexes.includes(sent) ? 1 : undefined;
}

export function applyRefusal(
  rows: readonly IndexedEntry[],
  { message, fields }: GetbillApiError,
): void {
  const isNamed = Object.keys(fields).length > 0;
  const errors = { batch: [message], ...(isNamed && fields) };
  rows.forEach(({ entry }) => setEntry(entry, { state: 'failed', debt: entry.debt, errors }));
}

export function setEntry(entry: Entry, outcome: Entry): void {
  delete entry.debt_id;
  delete entry.errors;
  Object.assign(entry, outcome);
}

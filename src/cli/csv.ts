import { textOfCell, type Columns, type Row } from './tables.js';

/** RFC 4180, every field in a column of its own, for a spreadsheet. */
export function csv(columns: Columns, rows: readonly Row[]): string {
  const fields = Object.values(columns)
    .flat()
    .filter((field) => field !== undefined);
  const lines = rows.map((row) => fields.map((field) => csvCell(textOfCell(row[field]))).join(','));
  return [fields.join(','), ...lines].join('\n');
}

/** Marks a value as text that a spreadsheet would run as a formula. */
function csvCell(value: string): string {
  const isFormula = /^\s*(?:[=+@＝＋－＠]|-(?!\d+(?:\.\d+)?$))/.test(value);
  const safe = isFormula ? `'${value}` : value;
  return /[",\n]|^'/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

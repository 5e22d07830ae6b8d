import Table from 'cli-table3';

export type Row = Readonly<Record<string, unknown>>;

/** A heading and the field under it, or two fields to be read together. */
export type Columns = Readonly<Record<string, readonly [field: string, second?: string]>>;

const WIDEST = 40;

/** As a table for people: one row per item, long texts cut. */
export function listTable(columns: Columns, rows: readonly Row[]): string {
  const table = new Table({ head: Object.keys(columns), ...PLAIN });
  for (const row of rows) {
    const cells = Object.values(columns).map((fields) => fields.map((field) => text(row[field ?? ''])));
    table.push(cells.map((words) => cut(words.filter(Boolean).join(' '))));
  }
  return table.toString();
}

/** One item, a line per field. */
export function itemTable(item: Row): string {
  const table = new Table(PLAIN);
  table.push(...Object.entries(item).map(([field, value]) => [field, text(value)]));
  return table.toString();
}

const PLAIN = { style: { head: [], border: [], compact: true } };

const cut = (line: string): string => (line.length > WIDEST ? `${line.slice(0, WIDEST - 1)}…` : line);

/** What other people have written into GetBill must not steer this terminal: control characters are taken out. */
function text(value: unknown): string {
  if (value === null || value === undefined) return '';
  const written = typeof value === 'string' ? value : JSON.stringify(value);
  return written.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ');
}

import { STATUS_PREFIX } from '../getbill/debt-statuses.js';
import { jsonOf } from '../getbill/values.js';
import { broken, cut, widthOf } from './text-width.js';

export type Row = Readonly<Record<string, unknown>>;

/** A heading and the field under it, or two fields to be read together. */
export type Columns = Readonly<Record<string, readonly [field: string, second?: string]>>;

const MAX_CELL = 40;
const MIN_CELL = 8;
/** Ids are needed whole for the next command, and half of an amount reads as another one. */
const CUT_LAST = ['id', 'amount'];
/** Of two columns, with the spaces beside them. */
const BORDERS = 7;

/**
 * As a table for people: one row per item, long texts cut, at most `width` columns of the terminal
 * wide. Where the ids would be cut the last columns are left out, which the line below says.
 */
export function listTable(columns: Columns, rows: readonly Row[], width = Infinity): string {
  const cells = rows.map((row) =>
    Object.values(columns).map((fields) => {
      const words = fields.map((field) => cellText(field, row[field ?? '']));
      return cut(words.filter(Boolean).join(' '), MAX_CELL);
    }),
  );
  const all = [Object.keys(columns), ...cells];
  const shownColumns = columnsWithin(all, width);
  const shown = all.map((line) => shownColumns.map((column) => line[column] ?? ''));
  const [names = []] = shown;
  const widths = fittingWidths(shown, names, width);
  const lines = shown.map((line) =>
    line.map((cell, index) => cut(cell, widths[index] ?? MAX_CELL)),
  );
  const [top = '', heading = '', ...rest] = framed(lines, widths, names.indexOf('amount'));
  const separator = rows.length > 0 ? [rule(widths, '├┼┤')] : [];
  const hidden = Object.keys(columns).filter((name) => !names.includes(name));
  const note = hidden.length > 0 ? [`no room for: ${hidden.join(', ')}`] : [];
  return [top, heading, ...separator, ...rest, ...note].join('\n');
}

/** Indexes of the columns that fit without cutting an id or an amount; those two always stay. */
function columnsWithin(lines: readonly string[][], width: number): number[] {
  const [names = []] = lines;
  const isCutLast = (column: number): boolean => CUT_LAST.includes(names[column] ?? '');
  const minWidths = widthsOf(lines).map((one, column) =>
    isCutLast(column) ? one : Math.min(one, MIN_CELL),
  );
  const columns = [...names.keys()];
  const neededWidth = (): number => tableWidth(columns.map((column) => minWidths[column] ?? 0));
  while (names.includes('id') && neededWidth() > width) {
    const last = columns.findLastIndex((column) => !isCutLast(column));
    if (last === -1) break;
    columns.splice(last, 1);
  }
  return columns;
}

/** With the borders and the spaces beside them. */
const tableWidth = (widths: readonly number[]): number =>
  widths.reduce((sum, one) => sum + one + 3, 1);

/** One item, a field per line. Text that is too long goes on in the next line: nothing is lost. */
export function itemTable(item: Row, width = Infinity): string {
  const fields = Object.keys(item);
  const nameWidth = fields.reduce((widest, field) => Math.max(widest, widthOf(field)), 0);
  const room = Math.max(width - nameWidth - BORDERS, MIN_CELL);
  const lines = fields.flatMap((field) =>
    broken(textOfCell(item[field]), room).map((part, index) => [index === 0 ? field : '', part]),
  );
  return lines.length === 0 ? '' : framed(lines, widthsOf(lines)).join('\n');
}

/** The cells of the column `rightAligned` end under each other. */
function framed(
  lines: readonly (readonly string[])[],
  widths: readonly number[],
  rightAligned?: number,
): string[] {
  const padded = (cell: string, index: number): string => {
    const padding = ' '.repeat((widths[index] ?? 0) - widthOf(cell));
    return index === rightAligned ? padding + cell : cell + padding;
  };
  const framedLines = lines.map((line) => `│ ${line.map(padded).join(' │ ')} │`);
  return [rule(widths, '┌┬┐'), ...framedLines, rule(widths, '└┴┘')];
}

function rule(widths: readonly number[], corners: '┌┬┐' | '├┼┤' | '└┴┘'): string {
  const [left = '', middle, right = ''] = corners;
  return left + widths.map((width) => '─'.repeat(width + 2)).join(middle) + right;
}

const widthsOf = (lines: readonly (readonly string[])[]): number[] =>
  (lines[0] ?? []).map((_cell, index) =>
    lines.reduce((widest, line) => Math.max(widest, widthOf(line[index] ?? '')), 0),
  );

/** Narrows the widest column until the table fits: first the others, then ids, then amounts. */
function fittingWidths(
  lines: readonly string[][],
  names: readonly string[],
  width: number,
): number[] {
  const widths = widthsOf(lines);
  const others = names.filter((name) => !CUT_LAST.includes(name));
  for (const group of [others, ...CUT_LAST.map((name) => [name])]) {
    while (tableWidth(widths) > width) {
      const candidates = widths.map((one, index) => (group.includes(names[index] ?? '') ? one : 0));
      const widest = candidates.indexOf(Math.max(...candidates));
      if ((candidates[widest] ?? 0) <= MIN_CELL) break;
      widths[widest] = (widths[widest] ?? 0) - 1;
    }
  }
  return widths;
}

function cellText(field: string | undefined, value: unknown): string {
  const written = textOfCell(value);
  return field === 'status' && written.startsWith(STATUS_PREFIX)
    ? written.slice(STATUS_PREFIX.length)
    : written;
}

/**
 * The text of a value without control characters: other people's data must not steer this terminal.
 */
export function textOfCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const written = typeof value === 'string' ? value : jsonOf(value);
  return written.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ');
}

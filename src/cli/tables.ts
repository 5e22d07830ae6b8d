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
 * As a table for people: one row per item, long texts cut, at most `width` columns of the terminal wide. Where the ids
 * would be cut the last columns are left out, which the line below says.
 */
export function listTable(columns: Columns, rows: readonly Row[], width = Infinity): string {
  const cells = rows.map((row) =>
    Object.values(columns).map((fields) => {
      const words = fields.map((field) => cellText(field, row[field ?? '']));
      return cut(words.filter(Boolean).join(' '), MAX_CELL);
    }),
  );
  const all = [Object.keys(columns), ...cells];
  const places = placesWithin(all, width);
  const shown = all.map((line) => places.map((place) => line[place] ?? ''));
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

/** The columns for which there is room when no id and no amount is cut; those two stay in any case. */
function placesWithin(lines: readonly string[][], width: number): number[] {
  const [names = []] = lines;
  const least = widthsOf(lines).map((one, index) =>
    CUT_LAST.includes(names[index] ?? '') ? one : Math.min(one, MIN_CELL),
  );
  const places = [...names.keys()];
  const needed = (): number => places.reduce((sum, place) => sum + (least[place] ?? 0) + 3, 1);
  while (names.includes('id') && needed() > width) {
    const last = places.findLastIndex((place) => !CUT_LAST.includes(names[place] ?? ''));
    if (last === -1) break;
    places.splice(last, 1);
  }
  return places;
}

/** One item, a field below the other. What is too long goes on in the next line: nothing may be lost. */
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

/** Takes from the widest column until the table fits; ids and amounts come last. */
function fittingWidths(
  lines: readonly string[][],
  names: readonly string[],
  width: number,
): number[] {
  const widths = widthsOf(lines);
  const total = (): number => widths.reduce((sum, one) => sum + one + 3, 1);
  const turnOf = (index: number): number => CUT_LAST.indexOf(names[index] ?? '');
  for (const turn of [-1, ...CUT_LAST.keys()]) {
    while (total() > width) {
      const candidates = widths.map((one, index) => (turnOf(index) === turn ? one : 0));
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

/** The text of a value without control characters: other people's data must not steer this terminal. */
export function textOfCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const written = typeof value === 'string' ? value : jsonOf(value);
  return written.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ');
}

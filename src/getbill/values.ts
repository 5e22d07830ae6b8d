const MAX_TEXT = 10_000;

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A field of its own: `constructor` and the like are none. */
export const fieldOf = (record: unknown, name: string): unknown =>
  isRecord(record) && Object.hasOwn(record, name) ? record[name] : undefined;

/** A value of GetBill's as text, whatever its type; `undefined` when there is nothing to see. */
export function textOf(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'number' && !Number.isFinite(value)) return undefined;
  const whole = typeof value === 'string' ? value : jsonOf(value);
  const text = whole
    .slice(0, MAX_TEXT)
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(/(?![\t\r\n])\p{Cc}/gu, ' ') // HTML allows no other
    .trim();
  return text.replace(INVISIBLE, '') === '' ? undefined : text;
}

// Spaces, control and formatting characters, and the Braille blank, a symbol to Unicode.
const INVISIBLE = /[\s\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** A finite number, also one that came as text. */
export function numberOf(value: unknown): number | undefined {
  const isNumeric = typeof value === 'string' && /^\s*-?\d{1,30}(\.\d{1,30})?\s*$/.test(value);
  const number = typeof value === 'number' || isNumeric ? Number(value) : NaN;
  return Number.isFinite(number) ? number : undefined;
}

export const isTrue = (value: unknown): boolean =>
  value === true || value === 1 || value === 'true' || value === '1';

/** Empty for a value that is nested too deeply for `JSON.stringify`. */
export function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return '';
  }
}

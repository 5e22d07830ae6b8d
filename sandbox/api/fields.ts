/** Reading one field of a JSON body: undefined when absent, the wrong type counts as absent. */
type Body = Readonly<Record<string, unknown>>;

export const text = (body: Body, name: string): string | undefined => {
  const value = body[name];
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
};

/** A day of the calendar: `Date` reads 30 February as 1 March. */
export const isDate = (value: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(value) &&
  !Number.isNaN(Date.parse(value)) &&
  new Date(value).toISOString().startsWith(value);

/** ISO 8601: a day, or a day and a time. */
export const isDateOrTime = (value: string): boolean =>
  isDate(value.slice(0, 10)) &&
  /^(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(value.slice(10));

/**
 * ISO 13616: with the first four characters at the end and letters as numbers from 10, the
 * remainder by 97 is 1.
 */
export function isIban(value: string): boolean {
  const iban = value.replace(/\s/g, '').toUpperCase();
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(iban)) return false;
  const digits = Array.from(iban.slice(4) + iban.slice(0, 4), (each) => parseInt(each, 36));
  return BigInt(digits.join('')) % 97n === 1n;
}

/** Of `names`, those that were sent as text or null. */
export function sentTexts(body: Body, names: readonly string[]): Record<string, string | null> {
  const sent: Record<string, string | null> = {};
  for (const name of names) {
    const value = body[name];
    if (typeof value === 'string' || value === null) sent[name] = value;
  }
  return sent;
}

/** French local forms become E.164; undefined when it cannot be a number. */
export function normalisePhone(value: string): string | undefined {
  const digits = value.replace(/[\s.()-]/g, '');
  if (/^\+[1-9]\d{7,14}$/.test(digits)) return digits;
  if (/^0[1-9]\d{8}$/.test(digits)) return `+33${digits.slice(1)}`;
  if (/^[1-9]\d{8}$/.test(digits)) return `+33${digits}`;
  return undefined;
}

export const isEmail = (value: string): boolean => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value);

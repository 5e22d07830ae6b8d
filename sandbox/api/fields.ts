/** Reading one field of a JSON body: undefined when absent, the wrong type counts as absent. */
type Body = Readonly<Record<string, unknown>>;

export const text = (body: Body, name: string): string | undefined => {
  const value = body[name];
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
};

export const isDate = (value: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value));

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

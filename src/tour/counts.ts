import { z } from 'zod';

const count = z.number().int();

/** The sandbox's counters, by the names that the scenes use. */
export const countsSchema = z.object({
  signIns: count,
  codeExchanges: count,
  renewalCalls: count,
  renewals: count,
  renewalsRefused: count,
  spentTokens: count,
  apiCalls: count,
  apiRefused: count,
});
export type Counts = Readonly<z.infer<typeof countsSchema>>;

/** One claim of a scene: what was counted, and what the guarantee says. */
export interface Check {
  readonly what: string;
  readonly counted: number;
  readonly expected: number;
}

export const holds = ({ counted, expected }: Check): boolean => counted === expected;

export function difference(before: Counts, after: Counts): Counts {
  const names = countsSchema.keyof().options;
  const counted = names.map((name) => [name, after[name] - before[name]]);
  return countsSchema.parse(Object.fromEntries(counted));
}

export const check = (what: string, counted: number, expected: number): Check => ({
  what,
  counted,
  expected,
});

/** The sandbox's counters, by the names that the scenes use. */
export interface Counts {
  readonly signIns: number;
  readonly codeExchanges: number;
  readonly renewalCalls: number;
  readonly renewals: number;
  readonly renewalsRefused: number;
  readonly spentTokens: number;
  readonly apiCalls: number;
  readonly apiRefused: number;
}

/** One claim of a scene: what was counted, and what the guarantee says. */
export interface Check {
  readonly what: string;
  readonly counted: number;
  readonly expected: number;
}

export const holds = ({ counted, expected }: Check): boolean => counted === expected;

export function difference(before: Counts, after: Counts): Counts {
  return {
    signIns: after.signIns - before.signIns,
    codeExchanges: after.codeExchanges - before.codeExchanges,
    renewalCalls: after.renewalCalls - before.renewalCalls,
    renewals: after.renewals - before.renewals,
    renewalsRefused: after.renewalsRefused - before.renewalsRefused,
    spentTokens: after.spentTokens - before.spentTokens,
    apiCalls: after.apiCalls - before.apiCalls,
    apiRefused: after.apiRefused - before.apiRefused,
  };
}

export const check = (what: string, counted: number, expected: number): Check => ({
  what,
  counted,
  expected,
});

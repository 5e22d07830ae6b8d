import type { TokenSet } from '../oauth/token-set.js';
import { createContext, type TokensOptions } from './context.js';
import { createBackground, createRenewals, createTokenCache } from './known-tokens.js';
import { createLeases, createTakeTurn, type Leases } from './leases.js';
import { createRenewUnderLease } from './renew-under-lease.js';
import { createRenewalGuards } from './renewal-guards.js';
import { createRevocations } from './revocations.js';
import { createTokenManager, type TokenManager } from './token-manager.js';
import { createTokenRecords, type TokenRecords } from './token-records.js';
import { createWriteRenewed } from './write-renewed.js';

interface Parts {
  records: TokenRecords;
  leases: Leases;
}

/** The token lifecycle assembled. `parts` replaces some of it, for tests. */
export function createTokens({
  parts = (same) => same,
  ...options
}: TokensOptions & { parts?: (parts: Parts) => Parts }): TokenManager {
  const context = createContext(options);
  const { records, leases } = parts({
    records: createTokenRecords(context),
    leases: createLeases(context),
  });
  const guards = createRenewalGuards(context);
  const memory = {
    tokenCache: createTokenCache(context.clock),
    background: createBackground(context.clock),
    pendingWrites: new Map<string, TokenSet>(),
  };
  const shared = { ...memory, records, revocations: createRevocations(context, memory) };
  const takeTurn = createTakeTurn(context, { leases, records, guards });
  const writeRenewed = createWriteRenewed(context, { ...shared, guards });
  const renewing = { ...shared, guards, takeTurn, writeRenewed };
  const renewUnderLease = createRenewUnderLease(context, renewing);
  const renewals = createRenewals(context, { ...memory, renewUnderLease });
  return createTokenManager(context, { ...shared, renewals, pauseOf: guards.pauseOf });
}

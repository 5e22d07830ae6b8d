import { randomUUID } from 'node:crypto';
import { createBackground } from '../background.js';
import { createRevocations } from '../oauth/revocations.js';
import type { TokenSet } from '../oauth/token-set.js';
import type { Context, TokensOptions } from './context.js';
import { createLeases } from './leases.js';
import { createRenewalGuards } from './renewal-guards.js';
import { createTokenCache } from './token-cache.js';
import { createTokenRecords } from './token-records.js';

const LEASE_SPARE_MS = 3_000;

export type Parts = ReturnType<typeof createParts>;

/** What the token manager and the steps of a renewal share. */
export function createParts(options: TokensOptions) {
  const leaseMs = options.timeoutMs + LEASE_SPARE_MS;
  const context: Context = {
    isRenewable: ({ refreshToken }) => refreshToken !== undefined,
    newId: randomUUID,
    ...options,
    leaseMs,
  };
  const background = createBackground(context.clock);
  return {
    ...context,
    records: createTokenRecords(context),
    leases: createLeases(context),
    guards: createRenewalGuards(context),
    tokenCache: createTokenCache(context.clock),
    /** Token sets that the server has issued and the storage did not take yet, by grant. */
    pendingWrites: new Map<string, TokenSet>(),
    background,
    revocations: createRevocations({ ...context, background }),
  };
}

import { createBackground } from '../background.js';
import { createRevocations } from '../oauth/revocations.js';
import type { TokenSet } from '../oauth/token-set.js';
import type { Context } from './context.js';
import { createLeases } from './leases.js';
import { createRenewalGuards } from './renewal-guards.js';
import { createTokenCache } from './token-cache.js';
import { createTokenRecords } from './token-records.js';

export type Parts = ReturnType<typeof createParts>;

/** What the token manager and the steps of a renewal share. */
export function createParts(context: Context) {
  const background = createBackground(context.clock);
  return {
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

import type { Clock } from '../clock.js';
import { createReport, type Emit, type Fingerprint } from '../events.js';
import type { TokenEndpoint } from '../oauth/token-endpoint.js';
import type { TokenSet } from '../oauth/token-set.js';
import type { Cipher } from '../storage/cipher.js';
import type { KeyValue } from '../storage/key-value.js';
import { createPendingWrites, createTokenCache } from './known-tokens.js';
import { createLeases, createTakeTurn, type Leases } from './leases.js';
import { createRenewUnderLease, type RenewWith } from './renew-under-lease.js';
import { createRenewalGuards } from './renewal-guards.js';
import { createRenewals } from './renewals.js';
import { createRevocations } from '../oauth/revocations.js';
import { createTokenManager, type TokenManager } from './token-manager.js';
import { createTokenRecords, type TokenRecords } from './token-records.js';

/** What a lease outlasts the token call by, so that the call's own deadline always comes first. */
const LEASE_SPARE_MS = 3_000;

export interface TokensOptions {
  keyValue: KeyValue;
  cipher: Cipher;
  renewWith: RenewWith;
  /** By default what has a refresh token. */
  isRenewable?: (tokenSet: TokenSet) => boolean;
  /** `undefined`: nothing is revoked. */
  revoke: TokenEndpoint['revoke'] | undefined;
  renewalsPerMinute: number;
  /** A renewal starts the record's TTL anew. By default it stays what the session has left. */
  renewedTtlMs?: number;
  timeoutMs: number;
  marginMs: number;
  emit: Emit;
  fingerprint: Fingerprint;
  clock: Clock;
  newId?: () => string;
  /** Replaces parts, for tests. */
  parts?: (parts: { records: TokenRecords; leases: Leases }) => {
    records: TokenRecords;
    leases: Leases;
  };
}

/** The token lifecycle assembled: everything it needs from outside is an argument, time included. */
export function createTokens({
  keyValue,
  cipher,
  renewWith,
  isRenewable = ({ refreshToken }) => refreshToken !== undefined,
  revoke,
  renewalsPerMinute,
  renewedTtlMs,
  timeoutMs,
  marginMs,
  emit,
  fingerprint,
  clock,
  newId,
  parts = (same) => same,
}: TokensOptions): TokenManager {
  const lifetimeMs = timeoutMs + LEASE_SPARE_MS;
  const report = createReport(emit, fingerprint);
  const { records, leases } = parts({
    records: createTokenRecords({ keyValue, cipher, report, clock, renewedTtlMs }),
    leases: createLeases({ keyValue, lifetimeMs, report, clock, newId }),
  });
  const tokenCache = createTokenCache(clock);
  const pendingWrites = createPendingWrites({ records, clock });
  const revocations = createRevocations({ revoke, report });
  const guards = createRenewalGuards({ keyValue, renewalsPerMinute, report, fingerprint, newId });
  const takeTurn = createTakeTurn({ leases, records, guards, report, clock, waitMs: lifetimeMs });
  const shared = { records, pendingWrites, revocations, isRenewable, report, clock };
  const renewUnderLease = createRenewUnderLease({
    ...shared,
    takeTurn,
    guards,
    renewWith,
    timeoutMs,
  });
  const renewals = createRenewals({ tokenCache, renewUnderLease, report, clock });
  return createTokenManager({ ...shared, tokenCache, renewals, marginMs });
}

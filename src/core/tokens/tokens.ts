import type { Emit } from '../events.js';
import type { TokenEndpoint } from '../oauth/token-endpoint.js';
import type { KeyValue } from '../storage/key-value.js';
import { createAttemptNotes } from './attempt-notes.js';
import { createBackOff } from './back-off.js';
import type { Cipher } from '../storage/cipher.js';
import { createCopies } from './copies.js';
import { createLateWrites } from './late-writes.js';
import { createLease } from './lease.js';
import { createRenewOnce } from './renew-once.js';
import { createRenewUnderLease } from './renewal.js';
import { createRevocations } from './revocation.js';
import { createTokenManager, type TokenManager } from './token-manager.js';
import { createTokenRecords } from './token-records.js';

/** What a lease outlasts the token call by, so that the call's own deadline always comes first. */
const LEASE_SPARE_MS = 3_000;

/** The token lifecycle assembled: everything it needs from outside is an argument, time included. */
export function createTokens({
  keyValue,
  cipher,
  tokenEndpoint,
  revocationEnabled,
  limit,
  timeoutMs,
  marginMs,
  emit,
  fingerprint,
  now,
  monotonicMs,
  sleep,
  newId,
}: {
  keyValue: KeyValue;
  cipher: Cipher;
  tokenEndpoint: Pick<TokenEndpoint, 'refresh' | 'revoke'>;
  revocationEnabled: boolean;
  limit: (grantId: string) => Promise<void>;
  timeoutMs: number;
  marginMs: number;
  emit: Emit;
  fingerprint: (id: string) => string;
  now: () => number;
  monotonicMs: () => number;
  sleep: (ms: number) => Promise<void>;
  newId: () => string;
}): TokenManager {
  const events = { emit, fingerprint };
  const copies = createCopies();
  const records = createTokenRecords({ keyValue, cipher, ...events });
  const lateWrites = createLateWrites({ records, sleep });
  const backOff = createBackOff({ keyValue, ...events, now });
  const revocations = createRevocations({ tokenEndpoint, enabled: revocationEnabled, ...events });
  const renewUnderLease = createRenewUnderLease({
    records,
    lateWrites,
    backOff,
    attempts: createAttemptNotes({ keyValue, fingerprint, newId }),
    tokenEndpoint,
    revocations,
    limit,
    ...events,
    now,
    monotonicMs,
    timeoutMs,
  });
  const lifetimeMs = timeoutMs + LEASE_SPARE_MS;
  const renewOnce = createRenewOnce({
    records,
    copies,
    lateWrites,
    lease: createLease({ keyValue, lifetimeMs, monotonicMs, newId }),
    backOff,
    renewUnderLease,
    ...events,
    monotonicMs,
    sleep,
    waitMs: lifetimeMs,
  });
  return createTokenManager({
    records,
    copies,
    lateWrites,
    renewOnce,
    revocations,
    ...events,
    now,
    marginMs,
  });
}

import type { TokenSet } from '../../src/core/oauth/token-set.js';
import { createAttemptNotes } from '../../src/core/tokens/attempt-notes.js';
import { createBackOff } from '../../src/core/tokens/back-off.js';
import { createCopies } from '../../src/core/tokens/copies.js';
import { createLateWrites } from '../../src/core/tokens/late-writes.js';
import { createLease, type Lease } from '../../src/core/tokens/lease.js';
import { createRenewOnce } from '../../src/core/tokens/renew-once.js';
import { createRenewUnderLease } from '../../src/core/tokens/renewal.js';
import { createRevocations } from '../../src/core/tokens/revocation.js';
import { createTokenManager } from '../../src/core/tokens/token-manager.js';
import { createTokenRecords, type StoredTokens, type TokenRecords } from '../../src/core/tokens/token-records.js';
import { createTokens } from '../../src/core/tokens/tokens.js';

type Build = typeof createTokens;
type Parts = Parameters<Build>[0];

/** One dependency of the real code, replaced by one with a fault. */
interface Plants {
  recordsUnderLease?: (records: TokenRecords, lastRead: (grantId: string) => StoredTokens | undefined) => TokenRecords;
  lease?: (lease: Lease, parts: Parts) => Lease;
}

/** Wired as `createTokens` does it. Without plants it must behave as the original, which a test checks. */
export function buildWith(plants: Plants): Build {
  return function buildPlanted(parts) {
    const { keyValue, tokenEndpoint, limit, emit, fingerprint, now, monotonicMs, sleep, newId, timeoutMs } = parts;
    const lifetimeMs = timeoutMs + 3_000;
    const events = { emit, fingerprint };
    const copies = createCopies();
    const honest = createTokenRecords({ keyValue, cipher: parts.cipher, ...events });
    const lastReads = new Map<string, StoredTokens>();
    const records: TokenRecords = {
      ...honest,
      async read(grantId) {
        const stored = await honest.read(grantId);
        if (stored !== undefined) lastReads.set(grantId, stored);
        return stored;
      },
    };
    const lateWrites = createLateWrites({ records, sleep });
    const backOff = createBackOff({ keyValue, ...events, now });
    const revocations = createRevocations({ tokenEndpoint, enabled: parts.revocationEnabled, ...events });
    const attempts = createAttemptNotes({ keyValue, fingerprint, newId });
    const underLease = plants.recordsUnderLease?.(honest, (grantId) => lastReads.get(grantId)) ?? honest;
    const renewUnderLease = createRenewUnderLease({ records: underLease, lateWrites, backOff, attempts, tokenEndpoint, revocations, limit, ...events, now, monotonicMs, timeoutMs }); // prettier-ignore
    const sound = createLease({ keyValue, lifetimeMs, monotonicMs, newId });
    const lease = plants.lease?.(sound, parts) ?? sound;
    const renewOnce = createRenewOnce({ records, copies, lateWrites, lease, backOff, renewUnderLease, ...events, monotonicMs, sleep, waitMs: lifetimeMs }); // prettier-ignore
    return createTokenManager({ records, copies, lateWrites, renewOnce, revocations, ...events, now, marginMs: parts.marginMs }); // prettier-ignore
  };
}

/** The holder trusts what its process had read before it had the lease. */
export const withoutSecondRead = buildWith({
  recordsUnderLease: (records, lastRead) => ({
    ...records,
    read: async (grantId) => lastRead(grantId) ?? (await records.read(grantId)),
  }),
});

/** A refusal deletes whatever is on record. */
export const deletingWithoutCompare = buildWith({
  recordsUnderLease: (records) => ({
    ...records,
    async removeExactly(grantId) {
      const stored = await records.read(grantId);
      return stored === undefined ? { outcome: 'gone' } : await records.removeExactly(grantId, stored);
    },
  }),
});

/** Whoever is done deletes the lease, also if it has run out and is somebody else's by now. */
export const releasingWithoutOwner = buildWith({
  lease: (lease, { keyValue }) => ({
    async acquire(name) {
      const held = await lease.acquire(name);
      return held && { ...held, release: () => keyValue.delete(`lease:${name}`).catch(() => undefined) };
    },
  }),
});

/** The renewed token is written over whatever is there by now, or is not there any more. */
export const writingWithoutCompare = buildWith({
  recordsUnderLease: (records) => ({
    ...records,
    replace: async (grantId, _old, tokenSet) => ({
      outcome: 'done',
      stored: await records.create(grantId, tokenSet, { ttlMs: 1e9 }),
    }),
  }),
});

/** Everybody waits for the renewal from the margin on. */
export const waitingInTheMargin: Build = (parts) => {
  const tokens = createTokens(parts);
  async function fresh(grantId: string): Promise<TokenSet> {
    await tokens.fresh(grantId);
    await tokens.idle();
    return await tokens.fresh(grantId);
  }
  return { ...tokens, fresh };
};

import type { TokenSet } from '../../../src/core/oauth/token-set.js';
import { createParts, type Parts } from '../../../src/core/tokens/parts.js';
import { createTokenManager } from '../../../src/core/tokens/token-manager.js';
import type { StoredTokens } from '../../../src/core/tokens/token-records.js';
import { createTokens } from '../create-tokens.js';

type Build = typeof createTokens;

/** The real code with one part replaced by one with a fault. Without a fault it must behave as the original. */
export function buildWith(plant: (parts: Parts) => Partial<Parts>): Build {
  return (options) => {
    const parts = createParts(options);
    return createTokenManager({ ...parts, ...plant(parts) });
  };
}

/** The holder trusts what its process had read before it had the lease. */
export const withoutSecondRead = buildWith(({ records, leases }) => {
  const lastReads = new Map<string, StoredTokens>();
  const held = new Set<string>();
  return {
    leases: {
      async acquire(grantId) {
        const lease = await leases.acquire(grantId);
        if (lease === undefined) return undefined;
        held.add(grantId);
        const release = async (): Promise<void> => {
          held.delete(grantId);
          await lease.release();
        };
        return { ...lease, release };
      },
    },
    records: {
      ...records,
      async read(grantId) {
        if (held.has(grantId)) return lastReads.get(grantId);
        const stored = await records.read(grantId);
        if (stored !== undefined) lastReads.set(grantId, stored);
        return stored;
      },
    },
  };
});

/** A refusal deletes whatever is on record. */
export const deletingWithoutCompare = buildWith(({ records }) => ({
  records: {
    ...records,
    async removeExactly(grantId) {
      const stored = await records.read(grantId);
      return stored === undefined
        ? { outcome: 'gone' }
        : await records.removeExactly(grantId, stored);
    },
  },
}));

/** Whoever is done deletes the lease, also if it has run out and is somebody else's by now. */
export const releasingWithoutOwner = buildWith(({ leases, keyValue }) => ({
  leases: {
    async acquire(grantId) {
      const lease = await leases.acquire(grantId);
      return (
        lease && {
          ...lease,
          release: () => keyValue.delete(`lease:${grantId}`).catch(() => undefined),
        }
      );
    },
  },
}));

/** The renewed token is written over whatever is there by now, or is not there any more. */
export const writingWithoutCompare = buildWith(({ records }) => ({
  records: {
    ...records,
    replace: async (grantId, _old, tokenSet) => ({
      outcome: 'done',
      stored: await records.create(grantId, tokenSet, { ttlMs: 1e9 }),
    }),
  },
}));

/** Everybody waits for the renewal from the margin on. */
export const waitingInTheMargin: Build = (options) => {
  const tokens = createTokens(options);
  async function fresh(grantId: string): Promise<TokenSet> {
    await tokens.fresh(grantId);
    await tokens.idle();
    return await tokens.fresh(grantId);
  }
  return { ...tokens, fresh };
};

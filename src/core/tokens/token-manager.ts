import { GrantEndedError, StorageError } from '../errors.js';
import type { Emit, SessionEndReason } from '../events.js';
import { phaseOf, type TokenSet } from '../oauth/token-set.js';
import type { Copies } from './copies.js';
import type { LateWrites } from './late-writes.js';
import type { RenewOnce } from './renew-once.js';
import type { Revocations } from './revocation.js';
import type { TokenRecords } from './token-records.js';

/** Who holds a token and when it is renewed. A `grantId` is what one person approved in one session. */
export interface TokenManager {
  establish(grantId: string, tokenSet: TokenSet, options: { ttlMs: number }): Promise<void>;
  holds(grantId: string): Promise<boolean>;
  /**
   * A token set whose access token is good now. Within the margin before expiry nobody waits for the renewal.
   * @throws {GrantEndedError} signed out, or refused by GetBill. @throws {MisconfiguredError} @throws {UnavailableError}
   * expired, and no renewal now; nothing is deleted. @throws {StorageError}
   */
  fresh(grantId: string): Promise<TokenSet>;
  /** After the API answered 401 to `rejected`: the newer token if there is one, else a renewed one. Throws as `fresh`. */
  renew(grantId: string, rejected: string): Promise<TokenSet>;
  /** Deletes the record, then revokes in the background; `revoked` resolves when that is over. */
  forget(grantId: string, reason: SessionEndReason): Promise<{ revoked: Promise<void> }>;
  /** Renewed token sets that the storage did not take yet. */
  pendingWrites(): number;
  /** Resolves when no renewal, delayed write or revocation is under way. */
  idle(): Promise<void>;
}

export function createTokenManager({
  records,
  copies,
  lateWrites,
  renewOnce,
  revocations,
  emit,
  fingerprint,
  now,
  marginMs,
}: {
  records: TokenRecords;
  copies: Copies;
  lateWrites: LateWrites;
  renewOnce: RenewOnce;
  revocations: Revocations;
  emit: Emit;
  fingerprint: (id: string) => string;
  now: () => number;
  marginMs: number;
}): TokenManager {
  const phase = (tokenSet: TokenSet) => phaseOf(tokenSet, { nowMs: now(), marginMs });

  const inMemory = (grantId: string): TokenSet | undefined =>
    lateWrites.get(grantId) ?? copies.get(grantId);

  async function fresh(grantId: string): Promise<TokenSet> {
    const copy = inMemory(grantId);
    if (
      copy !== undefined &&
      (phase(copy) === 'fresh' || (phase(copy) === 'margin' && renewOnce.isRunning(grantId)))
    )
      return copy;

    const tokenSet = await onRecord(grantId, { elseCopy: true });
    switch (phase(tokenSet)) {
      case 'fresh':
        return tokenSet;
      case 'margin': {
        const isDue = (current: TokenSet): boolean => phase(current) !== 'fresh';
        if (tokenSet.refreshToken !== undefined)
          renewOnce.start(grantId, { trigger: 'margin', isDue });
        return tokenSet;
      }
      case 'expired':
        return await renewOnce.wait(grantId, {
          trigger: 'expired',
          isDue: (current) => phase(current) === 'expired',
        });
    }
  }

  /** `elseCopy`: while the storage does not answer, a copy that is still good will do. */
  async function onRecord(grantId: string, { elseCopy }: { elseCopy: boolean }): Promise<TokenSet> {
    try {
      const unwritten = lateWrites.get(grantId);
      if (unwritten !== undefined) return unwritten;
      const stored = await records.read(grantId);
      if (stored === undefined) throw new GrantEndedError('record_gone');
      copies.set(grantId, stored.tokenSet);
      return stored.tokenSet;
    } catch (error) {
      const copy = elseCopy ? inMemory(grantId) : undefined;
      if (error instanceof StorageError && copy !== undefined && phase(copy) !== 'expired')
        return copy;
      if (error instanceof GrantEndedError) copies.delete(grantId);
      throw error;
    }
  }

  async function renew(grantId: string, rejected: string): Promise<TokenSet> {
    const isDue = (current: TokenSet): boolean =>
      current.accessToken === rejected || phase(current) === 'expired';
    const current = await onRecord(grantId, { elseCopy: false });
    if (!isDue(current)) return current;
    const result = await renewOnce.wait(grantId, { trigger: 'rejected', isDue });
    // A renewal that was joined may have had nothing to do for its own caller.
    return isDue(result) ? await renewOnce.wait(grantId, { trigger: 'rejected', isDue }) : result;
  }

  return {
    async establish(grantId, tokenSet, options) {
      await records.create(grantId, tokenSet, options);
      copies.set(grantId, tokenSet);
    },
    holds: async (grantId) => (await records.read(grantId)) !== undefined,
    fresh,
    renew,
    async forget(grantId, reason) {
      copies.delete(grantId);
      const tokenSet = await records.remove(grantId);
      copies.delete(grantId);
      emit({ type: 'session_ended', grant: fingerprint(grantId), reason });
      return {
        revoked: tokenSet === undefined ? Promise.resolve() : revocations.revoke(grantId, tokenSet),
      };
    },
    pendingWrites: () => lateWrites.count(),
    async idle() {
      await renewOnce.idle();
      await lateWrites.drained();
      await revocations.idle();
    },
  };
}

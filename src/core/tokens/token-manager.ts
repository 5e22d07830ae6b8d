import type { Clock } from '../clock.js';
import { GrantEndedError, StorageError } from '../errors.js';
import type { Report, SessionEndReason } from '../events.js';
import { phaseOf, type TokenSet } from '../oauth/token-set.js';
import type { PendingWrites, TokenCache } from './known-tokens.js';
import type { Renewals } from './renewals.js';
import type { Revocations } from '../oauth/revocations.js';
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
  /** Renewed token sets that wait in memory for the storage: while there are any, do not kill this process. */
  pendingWrites(): number;
  /** Forgets token sets that were not used lately; for a timer. */
  sweep(): void;
  /** Resolves when no renewal, delayed write or revocation is under way. */
  idle(): Promise<void>;
}

export function createTokenManager({
  records,
  tokenCache,
  pendingWrites,
  renewals,
  revocations,
  isRenewable,
  report,
  clock,
  marginMs,
}: {
  records: TokenRecords;
  tokenCache: TokenCache;
  pendingWrites: PendingWrites;
  renewals: Renewals;
  revocations: Revocations;
  isRenewable: (tokenSet: TokenSet) => boolean;
  report: Report;
  clock: Clock;
  marginMs: number;
}): TokenManager {
  const phase = (tokenSet: TokenSet) => phaseOf(tokenSet, { nowMs: clock.now(), marginMs });

  const inMemory = (grantId: string): TokenSet | undefined =>
    pendingWrites.get(grantId) ?? tokenCache.get(grantId);

  async function fresh(grantId: string): Promise<TokenSet> {
    const copy = inMemory(grantId);
    if (
      copy !== undefined &&
      (phase(copy) === 'fresh' || (phase(copy) === 'margin' && renewals.isRunning(grantId)))
    )
      return copy;

    const tokenSet = await onRecord(grantId, { elseCopy: true });
    switch (phase(tokenSet)) {
      case 'fresh':
        return tokenSet;
      case 'margin': {
        const isDue = (current: TokenSet): boolean => phase(current) !== 'fresh';
        if (isRenewable(tokenSet)) renewals.start(grantId, { trigger: 'margin', isDue });
        return tokenSet;
      }
      case 'expired':
        return await renewals.wait(grantId, {
          trigger: 'expired',
          isDue: (current) => phase(current) === 'expired',
        });
    }
  }

  /** `elseCopy`: while the storage does not answer, a copy that is still good will do. */
  async function onRecord(grantId: string, { elseCopy }: { elseCopy: boolean }): Promise<TokenSet> {
    try {
      const unwritten = pendingWrites.get(grantId);
      if (unwritten !== undefined) return unwritten;
      const stored = await records.read(grantId);
      if (stored === undefined) throw new GrantEndedError('record_gone');
      tokenCache.set(grantId, stored.tokenSet);
      return stored.tokenSet;
    } catch (error) {
      const copy = elseCopy ? inMemory(grantId) : undefined;
      if (error instanceof StorageError && copy !== undefined && phase(copy) !== 'expired')
        return copy;
      if (error instanceof GrantEndedError) tokenCache.delete(grantId);
      throw error;
    }
  }

  async function renew(grantId: string, rejected: string): Promise<TokenSet> {
    const isDue = (current: TokenSet): boolean =>
      current.accessToken === rejected || phase(current) === 'expired';
    const current = await onRecord(grantId, { elseCopy: false });
    if (!isDue(current)) return current;
    const result = await renewals.wait(grantId, { trigger: 'rejected', isDue });
    // A renewal that was joined may have had nothing to do for its own caller.
    return isDue(result) ? await renewals.wait(grantId, { trigger: 'rejected', isDue }) : result;
  }

  return {
    async establish(grantId, tokenSet, options) {
      await records.create(grantId, tokenSet, options);
      tokenCache.delete(grantId); // it may hold another grant's that had the same name
      tokenCache.set(grantId, tokenSet);
    },
    holds: async (grantId) => (await records.read(grantId)) !== undefined,
    fresh,
    renew,
    async forget(grantId, reason) {
      tokenCache.delete(grantId);
      const tokenSet = await records.remove(grantId);
      tokenCache.delete(grantId);
      report('session_ended', grantId, { reason });
      return {
        revoked: tokenSet === undefined ? Promise.resolve() : revocations.revoke(grantId, tokenSet),
      };
    },
    pendingWrites: () => pendingWrites.count(),
    sweep: () => tokenCache.sweep(),
    async idle() {
      await renewals.idle();
      await pendingWrites.drained();
      await revocations.idle();
    },
  };
}

import type { Clock } from '../clock.js';
import { GrantEndedError, RecordError, StorageError } from '../errors.js';
import type { Report, SessionEndReason } from '../events.js';
import { phaseOf, type TokenSet } from '../oauth/token-set.js';
import type { PendingWrites, TokenCache } from './known-tokens.js';
import type { Renewals } from './renewals.js';
import type { Revocations } from '../oauth/revocations.js';
import type { TokenRecords } from './token-records.js';

const RETRY_MS = 200;

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
  /**
   * Forgets in the background, and goes on trying while the storage does not respond. `tokenSet` is one that
   * the server has issued and that may not be on record: it is revoked at once.
   */
  abandon(grantId: string, reason: SessionEndReason, tokenSet?: TokenSet): void;
  /** Resolves when no renewal, delayed write, removal or revocation is under way. */
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
  const removals = new Set<Promise<void>>();
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

  /** Read before it is deleted: when the reply to the deletion is lost, a second try finds no token to revoke. */
  async function forget(
    grantId: string,
    reason: SessionEndReason,
  ): Promise<{ revoked: Promise<void> }> {
    const onRecord = await readable(grantId);
    tokenCache.delete(grantId);
    const revoke = async (tokenSet: TokenSet | undefined): Promise<void> => {
      if (tokenSet !== undefined) await revocations.revoke(grantId, tokenSet);
    };
    try {
      const removed = await records.remove(grantId);
      tokenCache.delete(grantId);
      report('session_ended', grantId, { reason });
      return { revoked: revoke(removed) };
    } catch (error) {
      void revoke(onRecord);
      throw error;
    }
  }

  async function readable(grantId: string): Promise<TokenSet | undefined> {
    try {
      return (await records.read(grantId))?.tokenSet;
    } catch (error) {
      if (error instanceof RecordError) return undefined;
      throw error;
    }
  }

  async function forgetEventually(grantId: string, reason: SessionEndReason): Promise<void> {
    for (;;) {
      try {
        await forget(grantId, reason);
        return;
      } catch (error) {
        if (!(error instanceof StorageError)) return;
        await clock.sleep(RETRY_MS);
      }
    }
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
    forget,
    abandon(grantId, reason, tokenSet) {
      if (tokenSet !== undefined) void revocations.revoke(grantId, tokenSet);
      const run = forgetEventually(grantId, reason).finally(() => removals.delete(run));
      removals.add(run);
    },
    pendingWrites: () => pendingWrites.count(),
    sweep: () => tokenCache.sweep(),
    async idle() {
      await renewals.idle();
      await pendingWrites.drained();
      await Promise.all(removals);
      await revocations.idle();
    },
  };
}

import { GrantEndedError, RecordError, StorageError } from '../errors.js';
import type { SessionEndReason } from '../events.js';
import { phaseOf, type TokenSet } from '../oauth/token-set.js';
import type { Parts } from './parts.js';
import { createRenewals } from './renewals.js';

export type TokenManager = ReturnType<typeof createTokenManager>;

/** Keeps and renews the tokens of grants. `grantId` names what a person approved in a session. */
export function createTokenManager(parts: Parts) {
  const { isRenewable, report, clock, marginMs } = parts;
  const { records, guards, tokenCache, pendingWrites, background, revocations } = parts;
  const renewals = createRenewals(parts);
  const phase = (tokenSet: TokenSet) => phaseOf(tokenSet, { nowMs: clock.now(), marginMs });
  const inMemory = (grantId: string) => pendingWrites.get(grantId) ?? tokenCache.get(grantId);

  /**
   * A token set whose access token is good now. Within the margin before expiry nobody waits for
   * the renewal. @throws {GrantEndedError} signed out, or refused. @throws {StorageError}
   * @throws {MisconfiguredError} @throws {UnavailableError} no renewal now; nothing is deleted.
   */
  async function fresh(grantId: string): Promise<TokenSet> {
    const copy = inMemory(grantId);
    if (copy !== undefined && phase(copy) === 'fresh') return copy;

    const tokenSet = await readTokenSet(grantId);
    const currentPhase = phase(tokenSet);
    if (currentPhase === 'expired') {
      const isDue = (current: TokenSet): boolean => phase(current) === 'expired';
      return await renewals.wait(grantId, { trigger: 'expired', isDue });
    }
    if (currentPhase === 'margin' && isRenewable(tokenSet)) {
      const isDue = (current: TokenSet): boolean => phase(current) !== 'fresh';
      renewals.start(grantId, { trigger: 'margin', isDue });
    }
    return tokenSet;
  }

  /** While the storage does not respond, a copy in memory will do. */
  async function readTokenSet(grantId: string): Promise<TokenSet> {
    try {
      const unwritten = pendingWrites.get(grantId);
      if (unwritten !== undefined) return unwritten;
      const stored = await records.read(grantId);
      if (stored === undefined) throw await guards.endOf(grantId);
      tokenCache.set(grantId, stored.tokenSet);
      return stored.tokenSet;
    } catch (error) {
      const copy = inMemory(grantId);
      if (error instanceof StorageError && copy !== undefined) return copy;
      if (error instanceof GrantEndedError) tokenCache.delete(grantId);
      throw error;
    }
  }

  /** After a 401 of the API: a newer token, or a renewed one, maybe the same. Throws as `fresh`. */
  async function renew(grantId: string, rejected: string): Promise<TokenSet> {
    const read = await readTokenSet(grantId);
    const isDue = (current: TokenSet): boolean =>
      phase(current) === 'expired' ||
      (current.accessToken === rejected && current.renewals === read.renewals);
    if (!isDue(read)) return read;
    const result = await renewals.wait(grantId, { trigger: 'rejected', isDue });
    // We may have joined a renewal that was started for another reason and found nothing due.
    return isDue(result) ? await renewals.wait(grantId, { trigger: 'rejected', isDue }) : result;
  }

  /** Deletes the record, then revokes in the background; `revoked` resolves when that is over. */
  async function forget(grantId: string, reason: SessionEndReason) {
    // When the reply to the deletion is lost, the next try finds no token to revoke.
    const readBefore = await readUnlessBroken(grantId);
    try {
      await guards.forgetAttempt(grantId); // those who wait for a renewal see no refusal
      const removed = (await records.remove(grantId)) ?? readBefore;
      tokenCache.delete(grantId);
      report('session_ended', grantId, { reason });
      return { revoked: background.run(revocations.finish(grantId, removed)) };
    } catch (error) {
      revocations.runOnce(grantId, readBefore);
      throw error;
    }
  }

  async function readUnlessBroken(grantId: string): Promise<TokenSet | undefined> {
    try {
      return (await records.read(grantId))?.tokenSet;
    } catch (error) {
      if (error instanceof RecordError) return undefined;
      throw error;
    }
  }

  return {
    async establish(grantId: string, tokenSet: TokenSet, ttl: { ttlMs: number }): Promise<void> {
      await records.create(grantId, tokenSet, ttl);
      tokenCache.delete(grantId); // it may hold another grant's that had the same name
      tokenCache.set(grantId, tokenSet);
    },
    /** Why the grant is not renewed now, and for how long, after a renewal that failed. */
    pauseOf: guards.pauseOf,
    holds: async (grantId: string) => (await records.read(grantId)) !== undefined,
    fresh,
    renew,
    forget,
    /**
     * Forgets in the background, and goes on trying while the storage does not respond. `tokenSet`:
     * one that the server has issued and that may not be on record: it is revoked at once.
     */
    abandon(grantId: string, reason: SessionEndReason, tokenSet?: TokenSet): void {
      revocations.runOnce(grantId, tokenSet);
      background.run(background.keepTrying(() => forget(grantId, reason))).catch(() => undefined);
    },
    /** Renewed token sets that wait for the storage: with any, do not kill the process. */
    pendingWrites: () => pendingWrites.size,
    /** Resolves when no renewal, delayed write, removal or revocation is under way. */
    idle: () => background.idle(),
  };
}

import { GrantEndedError, GrantRefusedError, StorageError, UnavailableError } from '../errors.js';
import type { Emit, RenewalTrigger, SessionEndReason } from '../events.js';
import type { TokenEndpoint } from '../oauth/token-endpoint.js';
import { tokenSetFromResponse, type TokenSet } from '../oauth/token-set.js';
import type { AttemptNotes } from './attempt-notes.js';
import type { BackOff } from './back-off.js';
import type { LateWrites } from './late-writes.js';
import type { HeldLease } from './lease.js';
import type { Revocations } from './revocation.js';
import type { Change, StoredTokens, TokenRecords } from './token-records.js';

/** Why a renewal is asked for, and whether a record still needs it: another caller may have renewed it meanwhile. */
export interface Need {
  trigger: RenewalTrigger;
  isDue(tokenSet: TokenSet): boolean;
}

/**
 * One renewal by the holder of the lease: read again, call, compare-and-set. Nothing but GetBill's own refusal of the
 * very token that is still on record deletes anything.
 * @throws {GrantEndedError} refused, or signed out meanwhile.
 * @throws {MisconfiguredError} @throws {UnavailableError} nothing deleted, further renewals paused. @throws {StorageError}
 */
export type RenewUnderLease = (grantId: string, held: HeldLease, need: Need) => Promise<TokenSet>;

export function createRenewUnderLease({
  records,
  lateWrites,
  backOff,
  attempts,
  tokenEndpoint,
  revocations,
  limit,
  emit,
  fingerprint,
  now,
  monotonicMs,
  timeoutMs,
}: {
  records: TokenRecords;
  lateWrites: LateWrites;
  backOff: BackOff;
  attempts: AttemptNotes;
  tokenEndpoint: Pick<TokenEndpoint, 'refresh'>;
  revocations: Pick<Revocations, 'revoke'>;
  /** @throws {UnavailableError} too many renewals, of this grant or in all. */
  limit: (grantId: string) => Promise<void>;
  emit: Emit;
  fingerprint: (id: string) => string;
  now: () => number;
  monotonicMs: () => number;
  timeoutMs: number;
}): RenewUnderLease {
  return async function renewUnderLease(grantId, held, need) {
    const old = await records.read(grantId); // again: another process may have renewed while we waited for the lease
    if (old === undefined) throw new GrantEndedError('record_gone');
    if (!need.isDue(old.tokenSet)) {
      emit({ type: 'refresh_reused', grant: fingerprint(grantId) });
      return old.tokenSet;
    }
    const { refreshToken } = old.tokenSet;
    if (refreshToken === undefined) return await end(grantId, old, 'no_refresh_token');
    await backOff.check(grantId);
    await limit(grantId);
    const { earlier } = await attempts.note(grantId, refreshToken);
    if (held.remainingMs() < timeoutMs) throw overrun();

    const sentAtMs = now();
    const startedMs = monotonicMs();
    let next: TokenSet;
    try {
      const response = await tokenEndpoint.refresh(refreshToken);
      next = tokenSetFromResponse(response, {
        sentAtMs,
        requestedScopes: [],
        previous: old.tokenSet,
      });
    } catch (error) {
      if (error instanceof GrantRefusedError)
        return await end(grantId, old, earlier ? 'answer_lost' : 'refused', error);
      throw await backOff.after(grantId, error);
    }
    emit({
      type: 'token_refreshed',
      grant: fingerprint(grantId),
      trigger: need.trigger,
      rotated: next.refreshToken !== refreshToken,
      lateMs: Math.max(0, sentAtMs - old.tokenSet.expiresAtMs),
      durationMs: monotonicMs() - startedMs,
    });
    return await keep(grantId, held, old, next);
  };

  /**
   * The old refresh token is spent, so a storage that does not answer must not cost the new one. Until the write is done
   * the record still shows the spent one, so the lease stays ours.
   */
  async function keep(
    grantId: string,
    held: HeldLease,
    old: StoredTokens,
    next: TokenSet,
  ): Promise<TokenSet> {
    try {
      return await settle(grantId, next, await records.replace(grantId, old, next));
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      emit({ type: 'token_write_delayed', grant: fingerprint(grantId) });
      lateWrites.add(grantId, old, next, (change) =>
        settle(grantId, next, change).finally(() => held.release()),
      );
      return next;
    }
  }

  async function settle(grantId: string, next: TokenSet, change: Change): Promise<TokenSet> {
    switch (change.outcome) {
      case 'done':
        await attempts.clear(grantId).catch(() => undefined); // left standing, it only changes the words of a later refusal
        return next;
      case 'superseded':
        return change.stored.tokenSet;
      case 'gone':
        void revocations.revoke(grantId, next);
        throw new GrantEndedError('signed_out');
    }
  }

  /** Deletes the record the refusal was about; a newer one is used instead. */
  async function end(
    grantId: string,
    old: StoredTokens,
    reason: SessionEndReason,
    cause?: Error,
  ): Promise<TokenSet> {
    const change = await records.removeExactly(grantId, old);
    if (change.outcome === 'superseded') {
      // A server that ends the grant over a spent token has killed the newer one, too: its refusal must be explained.
      const { refreshToken } = change.stored.tokenSet;
      if (refreshToken !== undefined)
        await attempts.note(grantId, refreshToken).catch(() => undefined);
      return change.stored.tokenSet;
    }
    const grant = fingerprint(grantId);
    emit({ type: 'refresh_failed', grant, outcome: 'refused', reason });
    if (change.outcome === 'done') emit({ type: 'session_ended', grant, reason });
    throw new GrantEndedError(reason, cause);
  }
}

const overrun = (): UnavailableError =>
  new UnavailableError('the lease ended before the token call could start', {
    code: 'lease_overrun',
    retryAfterS: 1,
  });

import { GrantEndedError, GrantRefusedError, StorageError, UnavailableError } from '../errors.js';
import type { SessionEndReason } from '../events.js';
import { tokenSetFromResponse, type TokenSet } from '../oauth/token-set.js';
import type { RenewalReason } from './context.js';
import { createTakeTurn, type Lease } from './leases.js';
import type { Parts } from './parts.js';
import type { Change, StoredTokens } from './token-records.js';

export function createRenewUnderLease(parts: Parts) {
  const { renewWith, isRenewable, report, clock, timeoutMs } = parts;
  const { records, guards, pendingWrites, background, revocations } = parts;
  const takeTurn = createTakeTurn(parts);

  /**
   * One renewal across processes. A record is deleted only when the server refuses the very token
   * that is still on record, or when there is nothing to renew it with.
   * @throws {GrantEndedError} refused, or signed out meanwhile.
   * @throws {MisconfiguredError} @throws {UnavailableError} nothing deleted, renewals paused.
   * @throws {StorageError}
   */
  async function renewUnderLease(grantId: string, reason: RenewalReason): Promise<TokenSet> {
    if (pendingWrites.has(grantId))
      throw new StorageError('a renewed token is still to be written');

    const seen = await records.read(grantId);
    if (seen === undefined) throw await guards.endOf(grantId);
    if (!reason.isDue(seen.tokenSet)) return reuse(grantId, seen);

    const turn = await takeTurn(grantId, reason);
    if ('tokenSet' in turn) return turn.tokenSet;

    try {
      const old = await records.read(grantId); // another process may have renewed it meanwhile
      if (old === undefined) throw await guards.endOf(grantId);
      if (!reason.isDue(old.tokenSet)) return reuse(grantId, old);
      if (!isRenewable(old.tokenSet)) return await end(grantId, old, 'no_refresh_token');

      await guards.assertMayCall(grantId);
      const wasTried = await guards.noteAttempt(grantId, old.tokenSet.refreshToken);
      if (turn.lease.remainingMs() < timeoutMs) throw overrun();

      const renewed = await call(grantId, reason, old.tokenSet);
      if (renewed instanceof GrantRefusedError)
        return await end(grantId, old, wasTried ? 'answer_lost' : 'refused', renewed);
      return await writeRenewed(grantId, turn.lease, old, renewed);
    } finally {
      if (!pendingWrites.has(grantId)) await turn.lease.release(); // else `writeLater` does
    }
  }

  function reuse(grantId: string, { tokenSet }: StoredTokens): TokenSet {
    report('refresh_reused', grantId, {});
    return tokenSet;
  }

  async function call(grantId: string, { trigger }: RenewalReason, previous: TokenSet) {
    const sentAtMs = clock.now();
    const startedMs = clock.monotonicMs();
    try {
      const response = await renewWith(previous);
      const next = tokenSetFromResponse(response, { sentAtMs, requestedScopes: [], previous });
      report('token_refreshed', grantId, {
        trigger,
        rotated: next.refreshToken !== previous.refreshToken,
        lateMs: Math.max(0, sentAtMs - previous.expiresAtMs),
        durationMs: clock.monotonicMs() - startedMs,
      });
      return next;
    } catch (error) {
      if (error instanceof GrantRefusedError) return error;
      throw await guards.pauseAfter(grantId, error);
    }
  }

  /** Deletes the record that cannot be renewed; where there is a newer one, returns that. */
  async function end(grantId: string, old: StoredTokens, reason: SessionEndReason, cause?: Error) {
    const change = await records.removeExactly(grantId, old);
    if (change.outcome === 'superseded') {
      // A server that ends a grant over a spent token has killed the newer one, too: explain it.
      const { tokenSet } = change.stored;
      await guards.noteAttempt(grantId, tokenSet.refreshToken).catch(() => undefined);
      return tokenSet;
    }
    report('refresh_failed', grantId, { outcome: 'refused', reason });
    if (change.outcome === 'done') report('session_ended', grantId, { reason });
    throw new GrantEndedError(reason, cause);
  }

  /**
   * The old refresh token is spent, so a storage that does not respond must not cost the new one.
   * Until it is written the record still shows the spent one, so the lease stays ours.
   */
  async function writeRenewed(grantId: string, lease: Lease, old: StoredTokens, next: TokenSet) {
    try {
      return await settle(grantId, next, await records.replace(grantId, old, next));
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      report('token_write_delayed', grantId, {});
      pendingWrites.set(grantId, next);
      const written = background.run(writeLater(grantId, lease, old, next));
      written.catch(() => undefined); // signed out meanwhile: `settle` has revoked it
      return next;
    }
  }

  async function writeLater(grantId: string, lease: Lease, old: StoredTokens, next: TokenSet) {
    try {
      const change = await background.keepTrying(() => records.replace(grantId, old, next));
      await settle(grantId, next, change);
    } finally {
      await lease.release();
      pendingWrites.delete(grantId);
    }
  }

  async function settle(grantId: string, next: TokenSet, change: Change): Promise<TokenSet> {
    if (change.outcome === 'gone') {
      void revocations.run(grantId, next);
      throw new GrantEndedError('signed_out');
    }
    if (change.outcome === 'superseded') return change.stored.tokenSet;
    await guards.forgetAttempt(grantId);
    return next;
  }

  return renewUnderLease;
}

const overrun = (): UnavailableError =>
  new UnavailableError('the lease ended before the token call could start', {
    code: 'lease_overrun',
    retryAfterS: 1,
  });

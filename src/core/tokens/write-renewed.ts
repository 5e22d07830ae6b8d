import { GrantEndedError, StorageError } from '../errors.js';
import type { TokenSet } from '../oauth/token-set.js';
import type { Context } from './context.js';
import { RETRY_MS, type Background } from './known-tokens.js';
import type { Lease } from './leases.js';
import type { RenewalGuards } from './renewal-guards.js';
import type { Revocations } from './revocations.js';
import type { Change, StoredTokens, TokenRecords } from './token-records.js';

interface Parts {
  records: TokenRecords;
  guards: RenewalGuards;
  /** Token sets that the server has issued and the storage did not take yet. */
  pendingWrites: Map<string, TokenSet>;
  background: Background;
  revocations: Revocations;
}

export type WriteRenewed = ReturnType<typeof createWriteRenewed>;

export function createWriteRenewed(
  { report, clock }: Context,
  { records, guards, pendingWrites, background, revocations }: Parts,
) {
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
      await clock.sleep(RETRY_MS);
      const change = await background.persist(() => records.replace(grantId, old, next));
      await settle(grantId, next, change).finally(() => lease.release());
    } finally {
      pendingWrites.delete(grantId);
    }
  }

  async function settle(grantId: string, next: TokenSet, change: Change): Promise<TokenSet> {
    if (change.outcome === 'gone') {
      void revocations.run(grantId, next);
      throw new GrantEndedError('signed_out');
    }
    if (change.outcome === 'superseded') return change.stored.tokenSet;
    await guards.done(grantId).catch(() => undefined); // left standing, it only changes words
    return next;
  }

  return writeRenewed;
}

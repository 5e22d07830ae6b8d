import { StorageError } from '../errors.js';
import type { TokenSet } from '../oauth/token-set.js';
import type { Change, StoredTokens, TokenRecords } from './token-records.js';

const RETRY_MS = 200;

/**
 * Token sets that GetBill has issued and the storage did not take yet. The old refresh token is spent by then, so this
 * process keeps the new set, answers from it and goes on trying.
 */
export interface LateWrites {
  get(grantId: string): TokenSet | undefined;
  /** Returns at once; `settled` is called with what became of it. */
  add(
    grantId: string,
    old: StoredTokens,
    tokenSet: TokenSet,
    settled: (change: Change) => Promise<unknown>,
  ): void;
  count(): number;
  /** Resolves when none is left. */
  drained(): Promise<void>;
}

export function createLateWrites({
  records,
  sleep,
}: {
  records: Pick<TokenRecords, 'replace'>;
  sleep: (ms: number) => Promise<void>;
}): LateWrites {
  const waiting = new Map<string, TokenSet>();
  const running = new Set<Promise<void>>();

  async function write(grantId: string, old: StoredTokens, tokenSet: TokenSet): Promise<Change> {
    for (;;) {
      await sleep(RETRY_MS);
      try {
        return await records.replace(grantId, old, tokenSet);
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
      }
    }
  }

  return {
    get: (grantId) => waiting.get(grantId),
    count: () => waiting.size,
    add(grantId, old, tokenSet, settled) {
      waiting.set(grantId, tokenSet);
      const run = write(grantId, old, tokenSet)
        .then(settled)
        .catch(() => undefined) // signed out meanwhile: `settled` has revoked it
        .then(() => {
          waiting.delete(grantId);
          running.delete(run);
        });
      running.add(run);
    },
    drained: async () => void (await Promise.all(running)),
  };
}

import { boundedMap } from '../bounded-map.js';
import type { Clock } from '../clock.js';
import { StorageError } from '../errors.js';
import type { TokenSet } from '../oauth/token-set.js';
import type { Change, StoredTokens, TokenRecords } from './token-records.js';

const MAX_CACHED = 10_000;
/** A session may end in another process, which tells nobody: its tokens leave this memory unused. */
const MAX_UNUSED_MS = 900_000;
const RETRY_MS = 200;

/** The token sets that this process has used lately. Only a hint: the session is read on every request. */
export type TokenCache = ReturnType<typeof createTokenCache>;

export function createTokenCache({ now }: Pick<Clock, 'now'>) {
  const cache = boundedMap<TokenSet>({ max: MAX_CACHED, maxAgeMs: MAX_UNUSED_MS, now });
  return {
    get: (grantId: string) => cache.touch(grantId),
    delete: (grantId: string) => cache.delete(grantId),
    sweep: () => cache.sweep(),
    /** A slow reader does not put an older one back. */
    set(grantId: string, tokenSet: TokenSet): void {
      if ((cache.touch(grantId)?.renewals ?? 0) <= tokenSet.renewals) cache.set(grantId, tokenSet);
    },
  };
}

/**
 * Token sets that the server has issued and the storage did not take yet. The old refresh token is
 * spent by then, so this process keeps the new set, serves it and goes on trying to write it.
 */
export interface PendingWrites {
  get(grantId: string): TokenSet | undefined;
  /** Returns at once; `settled` is called with the outcome. */
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

export function createPendingWrites({
  records,
  clock,
}: {
  records: Pick<TokenRecords, 'replace'>;
  clock: Clock;
}): PendingWrites {
  const waiting = new Map<string, TokenSet>();
  const running = new Set<Promise<void>>();

  async function write(grantId: string, old: StoredTokens, tokenSet: TokenSet): Promise<Change> {
    for (;;) {
      await clock.sleep(RETRY_MS);
      try {
        return await records.replace(grantId, old, tokenSet);
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
      }
    }
  }

  return {
    get: (grantId) => waiting.get(grantId),
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
    count: () => waiting.size,
    drained: async () => void (await Promise.all(running)),
  };
}

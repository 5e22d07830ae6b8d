import { createHandleEntry, type HandlingOptions } from './handle-entry.js';
import { createWakeablePause } from './wakeable-pause.js';

/** Entries that one process handles at a time. */
const CONCURRENCY = 10;
const TRIM_EVERY_MS = 10_000;
/** What comes in within this time is claimed together. */
const COLLECT_MS = 20;

export interface Worker {
  /** Something has come in: look now instead of at the next poll. */
  wake(): void;
  /** Takes nothing new; resolves when what is under way has ended. */
  stop(): Promise<void>;
}

/**
 * Handles the entries of one inbox in the background. A failure is tried again after growing
 * pauses; an entry that a dead process has left is taken over.
 */
export function startWorker({
  pollMs,
  ...options
}: HandlingOptions & { readonly pollMs: number }): Worker {
  const { inbox, monotonicMs } = options;
  const stopping = new AbortController();
  const handleEntry = createHandleEntry({ ...options, stopping: stopping.signal });
  const { wake, pause } = createWakeablePause({ collectMs: COLLECT_MS });
  const underWay = new Set<Promise<void>>();
  let trimmedAtMs = -Infinity;
  let lookedBackAtMs = -Infinity;

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      // the storage is away, which it has reported
      const mayBeMore = await startSome().catch(() => false);
      await trimSometimes().catch(() => undefined);
      if (!mayBeMore) await pause(pollMs);
      else if (underWay.size > 0) await Promise.race(underWay); // a race of nothing never ends
    }
    await Promise.all(underWay);
  }

  /**
   * Claims no more than it can begin at once, since the pause of an entry runs from its claim.
   * Returns whether there may be more.
   */
  async function startSome(): Promise<boolean> {
    const free = CONCURRENCY - underWay.size;
    const newOnly = monotonicMs() - lookedBackAtMs < pollMs;
    if (!newOnly) lookedBackAtMs = monotonicMs();
    const claims = await inbox.claim({ count: free, newOnly });
    for (const claim of claims) {
      const handling = handleEntry(claim).finally(() => underWay.delete(handling));
      underWay.add(handling);
    }
    return claims.length === free;
  }

  async function trimSometimes(): Promise<void> {
    if (monotonicMs() - trimmedAtMs < TRIM_EVERY_MS) return;
    trimmedAtMs = monotonicMs();
    await inbox.trim();
  }

  const running = run();
  return {
    wake,
    async stop() {
      stopping.abort();
      wake();
      await running;
    },
  };
}

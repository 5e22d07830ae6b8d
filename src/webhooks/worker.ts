import { setTimeout as delay } from 'node:timers/promises';
import { createHandleEntry, type HandlingOptions } from './handle-entry.js';

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
  ...handling
}: HandlingOptions & { readonly pollMs: number }): Worker {
  const { inbox, monotonicMs } = handling;
  const stop = new AbortController();
  const handleEntry = createHandleEntry({ ...handling, stopping: stop.signal });
  const underWay = new Set<Promise<void>>();
  let trimmedAtMs = -Infinity;
  let lookedBackAtMs = -Infinity;
  let woken = false;
  let wake: () => void = () => undefined;

  /** Claims no more than it can begin at once, since the pause of an entry runs from its claim. Returns whether there may be more. */
  async function startMore(): Promise<boolean> {
    const free = CONCURRENCY - underWay.size;
    const newOnly = monotonicMs() - lookedBackAtMs < pollMs;
    if (!newOnly) lookedBackAtMs = monotonicMs();
    const claims = free === 0 ? [] : await inbox.claim({ count: free, newOnly }); // 0 would be no bound to Redis
    for (const claim of claims) {
      const run = handleEntry(claim).finally(() => underWay.delete(run));
      underWay.add(run);
    }
    return claims.length > 0 && claims.length === free;
  }

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      let isMore = false;
      woken = false;
      try {
        isMore = await startMore();
        if (monotonicMs() - trimmedAtMs >= TRIM_EVERY_MS) {
          trimmedAtMs = monotonicMs();
          await inbox.trim();
        }
      } catch {
        // the storage is away, which it has reported: look again at the next poll
      }
      if (!isMore) await pause();
      else if (underWay.size > 0) await Promise.race(underWay); // until there is room; a race of nothing never ends
    }
    await Promise.all(underWay);
  }

  /** Until the next poll, or until something has come in, with a moment for more of it. */
  async function pause(): Promise<void> {
    if (!woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pollMs).unref();
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    if (woken && !stop.signal.aborted) await delay(COLLECT_MS);
  }

  function wakeUp(): void {
    woken = true;
    wake();
  }

  const running = run();
  return {
    wake: wakeUp,
    async stop() {
      stop.abort();
      wakeUp();
      await running;
    },
  };
}

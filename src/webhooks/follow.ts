import type { Change, Changes } from './changes.js';

export interface Follower {
  /** Something was published by this process: look now instead of at the next poll. */
  wake(): void;
  /** Where the last look ended. */
  last(): string | undefined;
  stop(): void;
}

/**
 * Tells `onChanges` what any process has published, in its order. A storage that is away is asked again: what was
 * published meanwhile is told then.
 */
export function follow({
  changes,
  onChanges,
  pollMs,
}: {
  changes: Changes;
  onChanges: (changes: readonly Change[]) => void;
  pollMs: () => number;
}): Follower {
  let last: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let again = false;
  let stopped = false;

  async function look(): Promise<void> {
    do {
      again = false;
      try {
        const read = await changes.after(last);
        last = read.last;
        if (read.changes.length > 0) onChanges(read.changes);
        again ||= read.changes.length > 0;
      } catch {
        // the storage is away: at the next poll
      }
    } while (again && !stopped);
  }

  function lookNow(): void {
    clearTimeout(timer);
    if (stopped) return;
    if (looking !== undefined) {
      again = true;
      return;
    }
    looking = look().finally(() => {
      looking = undefined;
      if (!stopped) timer = setTimeout(lookNow, pollMs()).unref();
    });
  }

  lookNow();
  return {
    wake: lookNow,
    last: () => last,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

import type { Change, Changes } from './changes.js';

/** What is published within this time is read and told together. */
const COLLECT_MS = 50;

export interface Follower {
  /** Something was published by this process: look soon instead of at the next poll. */
  wake(): void;
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
  let isWoken = false;
  let stopped = false;

  async function look(): Promise<void> {
    timer = undefined;
    isWoken = false;
    if (await tellNew().catch(() => false)) isWoken = true; // the storage is away: at the next poll
    lookAfter(pauseMs());
  }

  /** Returns whether there were any. */
  async function tellNew(): Promise<boolean> {
    const read = await changes.after(last);
    last = read.last;
    if (read.changes.length > 0) onChanges(read.changes);
    return read.changes.length > 0;
  }

  const pauseMs = (): number => (isWoken ? COLLECT_MS : pollMs());

  function lookAfter(ms: number): void {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(() => void look(), ms).unref();
  }

  void look();
  return {
    wake() {
      const isWaiting = timer !== undefined && !isWoken;
      isWoken = true;
      if (isWaiting) lookAfter(COLLECT_MS);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

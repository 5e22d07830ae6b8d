import type { Change, Changes } from './changes.js';
import { createWakeablePause } from './wakeable-pause.js';

/** What is published within this time is read and told together. */
const COLLECT_MS = 50;

export interface Follower {
  /** Something was published by this process: look soon instead of at the next poll. */
  wake(): void;
  stop(): void;
}

/**
 * Tells `onChanges` what any process has published, in its order. A storage that is away is asked
 * again: what was published meanwhile is told then.
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
  const { wake, pause } = createWakeablePause({ collectMs: COLLECT_MS });
  let last: string | undefined;
  let isStopped = false;

  async function run(): Promise<void> {
    while (!isStopped) {
      // the storage is away: asked again at the next poll
      const hasTold = await tellNew().catch(() => false);
      if (hasTold) wake(); // there may be more
      await pause(pollMs());
    }
  }

  /** Returns whether there were any. */
  async function tellNew(): Promise<boolean> {
    const read = await changes.after(last);
    last = read.last;
    if (read.changes.length > 0) onChanges(read.changes);
    return read.changes.length > 0;
  }

  void run();
  return {
    wake,
    stop() {
      isStopped = true;
      wake();
    },
  };
}

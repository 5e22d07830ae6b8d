import type { Clock } from './clock.js';
import { StorageError } from './errors.js';

const RETRY_MS = 200;

export type Background = ReturnType<typeof createBackground>;

/** Work that no request waits for. */
export function createBackground({ sleep }: Pick<Clock, 'sleep'>) {
  const running = new Set<Promise<unknown>>();
  return {
    /** Returns the same promise; a failure is its caller's. */
    run<T>(work: Promise<T>): Promise<T> {
      running.add(work);
      void Promise.allSettled([work]).then(() => running.delete(work));
      return work;
    },
    /** Tries again while the storage does not respond. */
    async keepTrying<T>(work: () => Promise<T>): Promise<T> {
      for (;;) {
        try {
          return await work();
        } catch (error) {
          if (!(error instanceof StorageError)) throw error;
          await sleep(RETRY_MS);
        }
      }
    },
    /** Resolves when nothing is under way. */
    async idle(): Promise<void> {
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}

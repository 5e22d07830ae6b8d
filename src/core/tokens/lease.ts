import type { KeyValue } from '../storage/key-value.js';

/** Held by one process at a time; given back early by `release`, else it ends by itself. */
export interface HeldLease {
  /** What is left, in milliseconds of the monotonic clock, counted from before the lease was asked for. */
  remainingMs(): number;
  release(): Promise<void>;
}

export interface Lease {
  /** `undefined` while somebody else holds it. @throws {StorageError} nobody can tell. */
  acquire(name: string): Promise<HeldLease | undefined>;
}

/**
 * One holder per name across processes. It is never extended: the work it guards has a deadline below `lifetimeMs`.
 * An answer equal to our own owner id means that a re-sent command finds our first one already done.
 */
export function createLease({
  keyValue,
  lifetimeMs,
  monotonicMs,
  newId,
}: {
  keyValue: Pick<KeyValue, 'setIfAbsent' | 'compareAndDelete'>;
  lifetimeMs: number;
  monotonicMs: () => number;
  newId: () => string;
}): Lease {
  return {
    async acquire(name) {
      const key = `lease:${name}`;
      const owner = newId();
      const endsAtMs = monotonicMs() + lifetimeMs;
      const release = async (): Promise<void> => {
        await keyValue.compareAndDelete(key, owner).catch(() => undefined); // then it runs out
      };
      try {
        const holder = await keyValue.setIfAbsent(key, owner, { ttlMs: lifetimeMs });
        if (holder !== undefined && holder !== owner) return undefined;
      } catch (error) {
        void release(); // the command may have been carried out although its answer was lost
        throw error;
      }
      return { remainingMs: () => endsAtMs - monotonicMs(), release };
    },
  };
}

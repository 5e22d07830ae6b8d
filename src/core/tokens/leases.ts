import { randomUUID } from 'node:crypto';
import { RecordError, StorageError } from '../errors.js';
import type { Context } from './context.js';

/** Held by one process at a time; given back early by `release`, else it ends by itself. */
export interface Lease {
  /** What is left, in milliseconds of the monotonic clock, counted from before it was asked for. */
  remainingMs(): number;
  release(): Promise<void>;
}

/** No lease is that long: such a value was not written by us, or lost its TTL. */
const MAX_LIFETIME_MS = 3_600_000;

/**
 * One holder per grant across processes. A lease is never extended: the work it guards has a deadline
 * below `leaseMs`. If the holder is our own id, the client re-sent the command after a cut
 * connection and the first one had succeeded.
 */
export function createLeases({
  keyValue,
  readRecord,
  leaseMs,
  clock,
  newId = randomUUID,
}: Context) {
  /** Whether somebody else has the lease; if nobody has, it is `owner`'s now. */
  async function isTaken(grantId: string, owner: string): Promise<boolean> {
    const key = keyOf(grantId);
    const findOther = async () => {
      const value = await keyValue.setIfAbsent(key, owner, { ttlMs: leaseMs });
      if (value === undefined || value === owner) return undefined;
      return (await keyValue.getWithTtl(key)) ?? { value, ttlMs: 0 };
    };
    const other = await readRecord({ kind: 'lease', key, id: grantId }, findOther, (found) => {
      if (found.ttlMs > MAX_LIFETIME_MS) throw new RecordError('broken');
      return found;
    });
    return other !== undefined;
  }

  return {
    /** `undefined` while another holder has it. @throws {StorageError} nobody can tell. */
    async acquire(grantId: string): Promise<Lease | undefined> {
      const owner = newId();
      const endsAtMs = clock.monotonicMs() + leaseMs;
      const release = async (): Promise<void> => {
        await keyValue.compareAndDelete(keyOf(grantId), owner).catch(() => undefined); // then it runs out
      };
      try {
        if (await isTaken(grantId, owner)) return undefined;
      } catch (error) {
        if (error instanceof StorageError) void release(); // it may have been carried out nevertheless
        throw error;
      }
      return { remainingMs: () => endsAtMs - clock.monotonicMs(), release };
    },
  };
}

const keyOf = (grantId: string): string => `lease:${grantId}`;

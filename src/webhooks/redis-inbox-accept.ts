import { StorageError } from '../errors.js';
import { isAfter } from './entry-id.js';
import type { Inbox, InboxLimits } from './inbox.js';
import { APPEND, DELETE_IF_EQUAL, FIRST_SEEN, STORED } from './redis-inbox-scripts.js';
import type { RedisStream } from './redis-inbox-stream.js';

/** Clocks of two masters of a Cluster, or of a master and its replica, may differ by this much. */
const CLOCK_SKEW_MS = 250;
const WAIT_FOR_REPLICAS_MS = 400;

type Outcome = 'new' | 'duplicate' | 'full';

/** `Inbox.accept`: stores a delivery exactly once. `replicas` of Redis have it before this resolves. */
export function createAccept(
  { redis, key: stream, barrierKey, seenKey, call, seal }: RedisStream,
  { limits, replicas }: { limits: InboxLimits; replicas: number },
): Inbox['accept'] {
  /** The last entry that this process has appended over its present connection: after a failover it may be lost. */
  let last: { id: string; socket: unknown } = { id: '', socket: undefined };
  const socketOf = (): unknown => ('stream' in redis ? redis.stream : undefined);
  const lastId = (): string => (last.socket === socketOf() ? last.id : '');

  /**
   * Resolves when enough replicas have the entry. WAIT counts the writes of its own connection, so a write goes before it,
   * and all three commands must have gone over one connection, to a master that has the entry.
   */
  async function replicated(id: string): Promise<void> {
    if (replicas === 0 || !('stream' in redis)) return;
    const { stream: socket } = redis;
    const [, waited, found] = await call(async () =>
      redis
        .pipeline()
        .set(barrierKey, id, 'PX', 60_000)
        .wait(replicas, WAIT_FOR_REPLICAS_MS)
        .xrange(stream, id, id)
        .exec(),
    ).then((replies) => replies ?? []);
    const acknowledged = Number(waited?.[1] ?? 0);
    const isThere = Array.isArray(found?.[1]) && found[1].length === 1;
    if (acknowledged >= replicas && isThere && redis.stream === socket) return;
    throw new StorageError(new Error('the replicas of Redis did not take the event in time'));
  }

  return async function accept({ identity, type, body }) {
    const key = seenKey(identity);
    const socket = socketOf();
    const seen = String(await call(() => redis.eval(FIRST_SEEN, 1, key, limits.keptMs, lastId())));
    if (seen === STORED) return 'duplicate';
    const sealed = seal(identity, body);
    const append = [identity, seen, CLOCK_SKEW_MS, limits.maxEntries, type, sealed];
    const [outcome, id] = (await call(() => redis.eval(APPEND, 1, stream, ...append))) as [
      Outcome,
      string,
    ];
    if (outcome === 'new' && isAfter(id, lastId() || '0-0')) last = { id, socket };
    if (outcome === 'full') {
      await call(() => redis.eval(DELETE_IF_EQUAL, 1, key, seen));
    } else {
      await replicated(id);
      await call(() => redis.set(key, STORED, 'PX', limits.keptMs));
    }
    return outcome;
  };
}

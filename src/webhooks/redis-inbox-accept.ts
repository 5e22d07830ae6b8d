import { StorageError } from '../errors.js';
import { inBatches } from './in-batches.js';
import type { Delivery, Inbox, InboxLimits, Outcome } from './inbox.js';
import { APPEND, DELETE_IF_EQUAL, FIRST_SEEN, STORED } from './redis-inbox-append-scripts.js';
import type { RedisStream } from './redis-inbox-stream.js';

/** Clocks of two masters of a Cluster, or of a master and its replica, may differ by this much. */
const CLOCK_SKEW_MS = 250;
const WAIT_FOR_REPLICAS_MS = 400;

interface Seen extends Delivery {
  readonly key: string;
  /** As `FIRST_SEEN` returned it. */
  readonly seen: string;
}

/**
 * `Inbox.accept`: stores a delivery exactly once, in one batch with others that come at the same time. `replicas` of
 * Redis have it before this resolves.
 */
export function createAccept(
  { redis, key: stream, barrierKey, seenKey, call, callString, seal }: RedisStream,
  { limits, replicas }: { limits: InboxLimits; replicas: number },
): Inbox['accept'] {
  /** The last entry that this process has appended over its present connection: after a failover it may be lost. */
  let last: { id: string; socket: unknown } = { id: '', socket: undefined };
  const socketOf = (): unknown => ('stream' in redis ? redis.stream : undefined);

  async function acceptAll(deliveries: readonly Delivery[]): Promise<Outcome[]> {
    const lastId = last.socket === socketOf() ? last.id : '';
    const all = await Promise.all(deliveries.map((each) => firstSeen(each, lastId)));
    const open = all.filter((each) => each.seen !== STORED);
    const outcomes = open.length === 0 ? [] : await append(open);
    await Promise.all(open.map((each, index) => mark(each, outcomes[index])));
    return all.map((each) => outcomes[open.indexOf(each)] ?? 'duplicate');
  }

  async function firstSeen(delivery: Delivery, lastId: string): Promise<Seen> {
    const key = seenKey(delivery.identity);
    const options = [limits.keptMs, CLOCK_SKEW_MS, lastId];
    const seen = await callString(key, () => redis.eval(FIRST_SEEN, 1, key, ...options));
    return { ...delivery, key, seen: String(seen) };
  }

  /** Appends those that the stream has not. Resolves when enough replicas have them. */
  async function append(open: Seen[]): Promise<Outcome[]> {
    const socket = socketOf();
    const fields = open.map((each) => {
      const { identity, seen, type, body } = each;
      return [identity, seen, type, seal(identity, body)];
    });
    const [id, ...outcomes] = (await call(() =>
      redis.eval(APPEND, 1, stream, limits.maxEntries, ...fields.flat()),
    )) as [id: string, ...Outcome[]];
    if (outcomes.includes('new')) last = { id, socket };
    if (id !== '') await replicated(id, socket);
    return outcomes;
  }

  async function mark({ key, seen }: Seen, outcome: Outcome | undefined): Promise<void> {
    if (outcome === 'full') await call(() => redis.eval(DELETE_IF_EQUAL, 1, key, seen));
    else await call(() => redis.set(key, STORED, 'PX', limits.keptMs));
  }

  /**
   * Resolves when enough replicas have the entry. WAIT counts the writes of its own connection, so a write goes before it,
   * and all commands since the entry was appended must have gone over one connection, to a master that has the entry.
   */
  async function replicated(id: string, socket: unknown): Promise<void> {
    if (replicas === 0 || !('stream' in redis)) return;
    const commands = redis.pipeline().set(barrierKey, id, 'PX', 60_000);
    commands.wait(replicas, WAIT_FOR_REPLICAS_MS).xrange(stream, id, id);
    const [, waited, found] = (await call(() => commands.exec())) ?? [];
    const acknowledged = Number(waited?.[1] ?? 0);
    const isThere = Array.isArray(found?.[1]) && found[1].length === 1;
    if (acknowledged >= replicas && isThere && redis.stream === socket) return;
    throw new StorageError(new Error('the replicas of Redis did not take the event in time'));
  }

  return inBatches(acceptAll);
}

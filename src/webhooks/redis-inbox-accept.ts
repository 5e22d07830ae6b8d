import { StorageError } from '../errors.js';
import { inBatches } from './in-batches.js';
import type { Delivery, Inbox, InboxLimits, Outcome } from './inbox.js';
import { APPEND, DELETE_IF_EQUAL, GET_OR_SET_SEEN, STORED } from './redis-inbox-append-scripts.js';
import type { RedisStream } from './redis-inbox-stream.js';

/** Clocks of two masters of a Cluster, or of a master and its replica, may differ by this much. */
const CLOCK_SKEW_MS = 250;
const WAIT_FOR_REPLICAS_MS = 400;

/** A delivery and its `seen` key. */
interface KeyedDelivery extends Delivery {
  readonly key: string;
  /** The value of `key`: `STORED`, or the id from which on its entry may be in the stream. */
  readonly seenValue: string;
}

/**
 * `Inbox.accept`: stores a delivery exactly once, in one batch with others that come at the same
 * time. Resolves once `replicas` of Redis have it.
 */
export function createAccept(
  { redis, key: stream, barrierKey, seenKey, call, callString, seal }: RedisStream,
  { limits, replicas }: { limits: InboxLimits; replicas: number },
): Inbox['accept'] {
  /** The last entry this process appended, and over which connection: a failover may lose it. */
  let lastEntry: { id: string; socket: unknown } = { id: '', socket: undefined };
  const socketOf = (): unknown => ('stream' in redis ? redis.stream : undefined);

  async function acceptAll(deliveries: readonly Delivery[]): Promise<Outcome[]> {
    const lastEntryId = lastEntry.socket === socketOf() ? lastEntry.id : '';
    const all = await Promise.all(deliveries.map((each) => withSeenValue(each, lastEntryId)));
    const notStored = all.filter(({ seenValue }) => seenValue !== STORED);
    const outcomes = notStored.length === 0 ? [] : await append(notStored);
    await Promise.all(notStored.map((each, index) => updateSeenKey(each, outcomes[index])));
    return all.map((each) => outcomes[notStored.indexOf(each)] ?? 'duplicate');
  }

  async function withSeenValue(delivery: Delivery, lastEntryId: string): Promise<KeyedDelivery> {
    const key = seenKey(delivery.identity);
    const options = [limits.keptMs, CLOCK_SKEW_MS, lastEntryId];
    const seenValue = await callString(key, () => redis.eval(GET_OR_SET_SEEN, 1, key, ...options));
    return { ...delivery, key, seenValue: String(seenValue) };
  }

  /** Appends those that the stream has not. Resolves when enough replicas have them. */
  async function append(deliveries: KeyedDelivery[]): Promise<Outcome[]> {
    const socket = socketOf();
    const fields = deliveries.map((each) => {
      const { identity, seenValue, type, body } = each;
      return [identity, seenValue, type, seal(identity, body)];
    });
    const [id, ...outcomes] = (await call(() =>
      redis.eval(APPEND, 1, stream, limits.maxEntries, ...fields.flat()),
    )) as [id: string, ...Outcome[]];
    if (outcomes.includes('new')) lastEntry = { id, socket };
    if (id !== '') await waitForReplicas(id, socket);
    return outcomes;
  }

  async function updateSeenKey(
    { key, seenValue }: KeyedDelivery,
    outcome: Outcome | undefined,
  ): Promise<void> {
    if (outcome === 'full') await call(() => redis.eval(DELETE_IF_EQUAL, 1, key, seenValue));
    else await call(() => redis.set(key, STORED, 'PX', limits.keptMs));
  }

  /**
   * Resolves when enough replicas have the entry. WAIT counts the writes of its own connection, so
   * a write goes before it, and all commands since the entry was appended must have gone over one
   * connection, to a master that has the entry.
   */
  async function waitForReplicas(id: string, socket: unknown): Promise<void> {
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

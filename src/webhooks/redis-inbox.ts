import type { Cluster, Redis } from 'ioredis';
import type { Cipher } from '../core/storage/cipher.js';
import { StorageError } from '../errors.js';
import { isAfter } from './entry-id.js';
import type { Claim, Entry, Inbox, InboxLimits, Listed } from './inbox.js';
import { APPEND, DELETE_IF_EQUAL, FIRST_SEEN, STORED, TRIM } from './redis-inbox-scripts.js';

const GROUP = 'workers';
/** Clocks of two masters of a Cluster, or of a master and its replica, may differ by this much. */
const CLOCK_SKEW_MS = 250;
/** Handled entries kept at least, for the list. */
const KEPT_ENTRIES = 1_000;
/** A consumer that asked for nothing for this long, and owes nothing, belongs to a process that is gone. */
const CONSUMER_GONE_MS = 3_600_000;
const WAIT_FOR_REPLICAS_MS = 400;
const TRIMMED_AT_A_TIME = 500;
const PENDING_PAGE = 100;
const MAX_PENDING_PAGES = 10;

/** Redis Streams: one stream per endpoint, one consumer group, a consumer per process. */
export function createRedisInbox({
  redis,
  cipher,
  endpoint,
  consumer,
  limits,
  replicas,
  connected = Promise.resolve(),
  consumerGoneMs = CONSUMER_GONE_MS,
}: {
  /** With a key prefix of its own. */
  redis: Redis | Cluster;
  cipher: Cipher;
  endpoint: string;
  /** Names this process. */
  consumer: string;
  limits: InboxLimits;
  /** How many replicas must have an entry before it is acknowledged, where failover is to lose none. */
  replicas: number;
  /** Commands wait for it: a connection that is being made. */
  connected?: Promise<void>;
  consumerGoneMs?: number;
}): Inbox {
  const stream = `webhook:stream:${endpoint}`;
  const givenUp = `webhook:given-up:${endpoint}`;
  const barrier = `webhook:barrier:${endpoint}`;
  const seenKey = (identity: string): string => `webhook:seen:${endpoint}:${identity}`;
  const contextOf = (identity: string): string => `webhook.${endpoint}.${identity}`;
  let ready: Promise<void> | undefined;
  /** The last entry that this process has appended over its present connection: after a failover it may be lost. */
  let last: { id: string; socket: unknown } = { id: '', socket: undefined };
  const socketOf = (): unknown => ('stream' in redis ? redis.stream : undefined);
  const lastId = (): string => (last.socket === socketOf() ? last.id : '');

  /** The group exists from the first use on; it reads from the beginning. */
  async function withGroup(): Promise<void> {
    ready ??= call(async () => {
      await redis.xgroup('CREATE', stream, GROUP, '0', 'MKSTREAM').catch((error: unknown) => {
        if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error;
      });
    }).catch((error: unknown) => {
      ready = undefined;
      throw error;
    });
    await ready;
  }

  async function call<T>(command: () => Promise<T>): Promise<T> {
    try {
      await connected;
      return await command();
    } catch (error) {
      if (error instanceof Error && error.message.includes('NOGROUP')) ready = undefined; // Redis was emptied
      throw error instanceof StorageError ? error : new StorageError(error);
    }
  }

  function entryFrom([id, fields]: RawEntry): (Entry & { identity: string }) | undefined {
    const { identity = '', type = '', body = '' } = pairs(fields ?? []);
    try {
      return { id, type, identity, body: cipher.decrypt(body, contextOf(identity)) };
    } catch {
      return undefined; // spoilt, or sealed with a key that this process does not have
    }
  }

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
        .set(barrier, id, 'PX', 60_000)
        .wait(replicas, WAIT_FOR_REPLICAS_MS)
        .xrange(stream, id, id)
        .exec(),
    ).then((replies) => replies ?? []);
    const acknowledged = Number(waited?.[1] ?? 0);
    const isThere = Array.isArray(found?.[1]) && found[1].length === 1;
    if (acknowledged >= replicas && isThere && redis.stream === socket) return;
    throw new StorageError(new Error('the replicas of Redis did not take the event in time'));
  }

  return {
    async accept({ identity, type, body }) {
      const key = seenKey(identity);
      const socket = socketOf();
      const seen = String(
        await call(() => redis.eval(FIRST_SEEN, 1, key, limits.keptMs, lastId())),
      );
      if (seen === STORED) return 'duplicate';
      const sealed = cipher.encrypt(body, contextOf(identity));
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
    },

    async claim({ count }) {
      await withGroup();
      const fresh = await call(
        () =>
          redis.xreadgroup(
            'GROUP',
            GROUP,
            consumer,
            'COUNT',
            count,
            'STREAMS',
            stream,
            '>',
          ) as Promise<Streams>,
      );
      const claims = (fresh?.[0]?.[1] ?? []).map((raw) => ({ raw, tries: 1 }));
      if (claims.length < count) claims.push(...(await claimOverdue(count - claims.length)));
      return claims.map(({ raw, tries }): Claim => {
        const { type = '' } = pairs(raw[1] ?? []);
        return { id: raw[0], type, body: entryFrom(raw)?.body, tries };
      });
    },

    async keep(id) {
      await call(() => redis.call('XCLAIM', stream, GROUP, consumer, 0, id, 'JUSTID')); // no new try
    },
    async done(id) {
      await call(() => redis.xack(stream, GROUP, id));
    },
    async giveUp(id) {
      await call(() => redis.hset(givenUp, id, '1'));
      await call(() => redis.pexpire(givenUp, limits.keptMs));
      await this.done(id);
    },
    async again(id) {
      const [raw] = await call(() => redis.xrange(stream, id, id) as Promise<RawEntry[]>);
      if (raw === undefined) return false;
      await call(() => redis.xadd(stream, '*', ...(raw[1] ?? [])));
      return true;
    },

    async recent(count) {
      await withGroup();
      const raws = await call(
        () => redis.xrevrange(stream, '+', '-', 'COUNT', count) as Promise<RawEntry[]>,
      );
      const ids = raws.map(([id]) => id);
      const [failed, waiting] = await Promise.all([whichGivenUp(ids), whichWaiting(ids)]);
      return raws.flatMap((raw): Listed[] => {
        const entry = entryFrom(raw);
        if (entry === undefined) return [];
        const { id, type, body } = entry;
        return [
          {
            id,
            type,
            body,
            state: failed.has(id) ? 'given_up' : waiting(id) ? 'waiting' : 'handled',
          },
        ];
      });
    },

    async trim() {
      await withGroup();
      const options = [limits.keptMs, KEPT_ENTRIES, GROUP, consumerGoneMs, TRIMMED_AT_A_TIME];
      const trimSome = (): Promise<unknown> => call(() => redis.eval(TRIM, 1, stream, ...options));
      while (Number(await trimSome()) > 0);
    },
  };

  /** Of dead processes, and failed before: an entry is due when it has been idle for the pause of its number of tries. */
  async function claimOverdue(count: number): Promise<{ raw: RawEntry; tries: number }[]> {
    const due = await overdue(count);
    const claims = await Promise.all(
      due.map(async ([id, , , tries]) => {
        const minIdleMs = limits.pauseMs(tries); // of two processes that see it due, one still finds it idle
        const raws = await call(
          () => redis.call('XCLAIM', stream, GROUP, consumer, minIdleMs, id) as Promise<RawEntry[]>,
        );
        return raws.map((raw) => ({ raw, tries: tries + 1 }));
      }),
    );
    return claims.flat();
  }

  /** Looks behind entries with long pauses, too. */
  async function overdue(count: number): Promise<Pending[]> {
    const due: Pending[] = [];
    let start = '-';
    for (let page = 0; page < MAX_PENDING_PAGES && due.length < count; page += 1) {
      const from = start;
      const pending = await call(
        () =>
          redis.xpending(
            stream,
            GROUP,
            'IDLE',
            limits.pauseMs(1),
            from,
            '+',
            PENDING_PAGE,
          ) as Promise<Pending[]>,
      );
      due.push(...pending.filter(([, , idleMs, tries]) => idleMs >= limits.pauseMs(tries)));
      if (pending.length < PENDING_PAGE) break;
      start = `(${pending.at(-1)?.[0] ?? ''}`;
    }
    return due.slice(0, count);
  }

  async function whichGivenUp(ids: string[]): Promise<Set<string>> {
    if (ids.length === 0) return new Set();
    const marks = await call(() => redis.hmget(givenUp, ...ids));
    return new Set(ids.filter((_id, index) => marks[index] !== null));
  }

  /** Delivered and not acknowledged, or not delivered yet. */
  async function whichWaiting(ids: string[]): Promise<(id: string) => boolean> {
    const [newest, oldest] = [ids[0], ids.at(-1)];
    if (newest === undefined || oldest === undefined) return () => false;
    const [pending, groups] = await Promise.all([
      call(() => redis.xpending(stream, GROUP, oldest, newest, ids.length) as Promise<Pending[]>),
      call(() => redis.xinfo('GROUPS', stream) as Promise<unknown[][]>),
    ]);
    const delivered = pairs((groups[0] ?? []).map(String))['last-delivered-id'] ?? '0-0';
    const open = new Set(pending.map(([id]) => id));
    return (id) => open.has(id) || isAfter(id, delivered);
  }
}

type Outcome = 'new' | 'duplicate' | 'full';
type RawEntry = [id: string, fields: string[] | null];
type Streams = [name: string, entries: RawEntry[]][] | null;
type Pending = [id: string, consumer: string, idleMs: number, tries: number];

function pairs(list: readonly string[]): Record<string, string | undefined> {
  const object: Record<string, string | undefined> = {};
  for (let index = 0; index + 1 < list.length; index += 2)
    object[list[index] ?? ''] = list[index + 1];
  return object;
}

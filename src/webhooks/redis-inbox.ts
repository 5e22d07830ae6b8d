import type { Cluster, Redis } from 'ioredis';
import type { Cipher } from '../core/storage/cipher.js';
import type { Emit } from '../events.js';
import type { Claim, Inbox, InboxLimits } from './inbox.js';
import { createAccept } from './redis-inbox-accept.js';
import { createRecent } from './redis-inbox-recent.js';
import { AGAIN } from './redis-inbox-append-scripts.js';
import {
  GROUP,
  openRedisStream,
  pairs,
  type Pending,
  type RawEntry,
} from './redis-inbox-stream.js';
import { TRIM } from './redis-inbox-trim-script.js';

/** A consumer that is idle for so long, with nothing pending, is that of a process that is gone. */
const CONSUMER_GONE_MS = 3_600_000;
const TRIMMED_AT_A_TIME = 500;
const PENDING_PAGE = 100;
const MAX_PENDING_PAGES = 10;

type Streams = [name: string, entries: RawEntry[]][] | null;

/** Redis Streams: one stream per endpoint, one consumer group, a consumer per process. */
export function createRedisInbox({
  redis,
  cipher,
  endpoint,
  consumer,
  limits,
  replicas,
  connected = Promise.resolve(),
  emit = () => undefined,
  consumerGoneMs = CONSUMER_GONE_MS,
}: {
  /** With a key prefix of its own. */
  redis: Redis | Cluster;
  cipher: Cipher;
  endpoint: string;
  /** Names this process. */
  consumer: string;
  limits: InboxLimits;
  /** Replicas that must have an entry before it is acknowledged, so that a failover loses none. */
  replicas: number;
  /** Commands wait for it: a connection that is being made. */
  connected?: Promise<void>;
  emit?: Emit;
  consumerGoneMs?: number;
}): Inbox {
  const opened = openRedisStream({ redis, cipher, endpoint, connected, emit });
  const { key: stream, givenUpKey, call, withGroup, entryFrom } = opened;

  return {
    accept: createAccept(opened, { limits, replicas }),

    async claim({ count, newOnly = false }) {
      await withGroup();
      const read = ['GROUP', GROUP, consumer, 'COUNT', count, 'STREAMS', stream, '>'] as const;
      const fresh = await call(() => redis.xreadgroup(...read) as Promise<Streams>);
      const claims = (fresh?.[0]?.[1] ?? []).map((raw) => ({ raw, tries: 1 }));
      if (claims.length < count && !newOnly)
        claims.push(...(await claimOverdue(count - claims.length).catch(() => [])));
      return claims.map(({ raw, tries }): Claim => {
        const { type = '' } = pairs(raw[1] ?? []);
        return { id: raw[0], type, body: entryFrom(raw)?.body, tries };
      });
    },

    async keep(id) {
      // no new try
      await call(() => redis.call('XCLAIM', stream, GROUP, consumer, 0, id, 'JUSTID'));
    },
    async done(id) {
      await call(() => redis.xack(stream, GROUP, id));
    },
    async giveUp(id) {
      await call(() => redis.set(givenUpKey(id), '1', 'PX', limits.keptMs));
      await this.done(id);
    },
    async again(id) {
      const outcome = await call(() => redis.eval(AGAIN, 1, stream, id, limits.maxEntries));
      return outcome as 'new' | 'gone' | 'full';
    },

    recent: createRecent(opened),

    async trim() {
      await withGroup();
      const { keptMs, keptEntries } = limits;
      const options = [keptMs, keptEntries, GROUP, consumerGoneMs, TRIMMED_AT_A_TIME];
      const trimSome = (): Promise<unknown> => call(() => redis.eval(TRIM, 1, stream, ...options));
      while (Number(await trimSome()) > 0);
    },
  };

  /**
   * Entries of dead processes and of failed tries. One is due when it has been idle for the pause
   * of its number of tries. A claim that fails is left to the next look; those that succeeded have
   * cost a try, so they are handed out.
   */
  async function claimOverdue(count: number): Promise<{ raw: RawEntry; tries: number }[]> {
    const due = await overdue(count);
    const claims = await Promise.all(
      due.map(async ([id, , , tries]) => {
        // of two processes that see it due, only the first still finds it idle
        const minIdleMs = limits.pauseMs(tries);
        const raws = await call(
          () => redis.call('XCLAIM', stream, GROUP, consumer, minIdleMs, id) as Promise<RawEntry[]>,
        ).catch(() => []);
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
      const range = ['IDLE', limits.pauseMs(1), start, '+', PENDING_PAGE] as const;
      const pending = await call(
        () => redis.xpending(stream, GROUP, ...range) as Promise<Pending[]>,
      );
      due.push(...pending.filter(([, , idleMs, tries]) => idleMs >= limits.pauseMs(tries)));
      if (pending.length < PENDING_PAGE) break;
      start = `(${pending.at(-1)?.[0] ?? ''}`;
    }
    return due.slice(0, count);
  }
}

import type { Cluster, Redis } from 'ioredis';
import type { Cipher } from '../core/storage/cipher.js';
import type { KeyValue } from '../core/storage/key-value.js';
import { StorageError } from '../errors.js';
import type { Claim, Entry, Inbox, InboxLimits, Listed } from './inbox.js';

const GROUP = 'workers';

/**
 * Appends unless the same identity was appended within ARGV[2] milliseconds: that is how long ago its first delivery
 * was claimed, so a few entries are looked at. The age is counted by the clock of Redis alone.
 */
const APPEND = `local now = redis.call('TIME')
local since = string.format('%d', now[1] * 1000 + math.floor(now[2] / 1000) - ARGV[2])
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], since, '+')) do
  if entry[2][2] == ARGV[1] then return 'duplicate' end
end
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 'full' end
redis.call('XADD', KEYS[1], '*', 'identity', ARGV[1], 'type', ARGV[4], 'body', ARGV[5])
return 'new'`;

/** Drops entries older than ARGV[1] milliseconds or beyond ARGV[2] entries, up to the first that is still to be handled. */
const TRIM = `local now = redis.call('TIME')
local group = redis.call('XINFO', 'GROUPS', KEYS[1])[1]
if not group then return 0 end
local delivered, first
for i = 1, #group, 2 do if group[i] == 'last-delivered-id' then delivered = group[i + 1] end end
local pending = redis.call('XPENDING', KEYS[1], ARGV[3])
first = pending[2] or delivered
local function ms(id) return tonumber(string.match(id, '^%d+')) end
local until_ms = math.min(ms(first), now[1] * 1000 - ARGV[1])
local over = redis.call('XLEN', KEYS[1]) - ARGV[2]
if over > 0 then
  local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', over)
  until_ms = math.min(ms(first), math.max(until_ms, ms(oldest[#oldest][1])))
end
return redis.call('XTRIM', KEYS[1], 'MINID', string.format('%d', until_ms))`;

/** Longer than the steps of one delivery take in any process. */
const SLACK_MS = 2_000;
/** Events the list keeps at least, and at most once they are handled. */
const KEPT_ENTRIES = 1_000;

/** Redis Streams: one stream per endpoint, one consumer group, a consumer per process. */
export function createRedisInbox({
  redis,
  keyValue,
  cipher,
  endpoint,
  prefix,
  consumer,
  limits,
  replicas,
}: {
  redis: Redis | Cluster;
  keyValue: Pick<KeyValue, 'setIfAbsent' | 'compareAndSet' | 'getWithTtl'>;
  cipher: Cipher;
  endpoint: string;
  prefix: string;
  /** Names this process. */
  consumer: string;
  limits: InboxLimits;
  /** How many replicas must have an entry before it is acknowledged, where failover is to lose none. */
  replicas: number;
}): Inbox {
  const stream = `${prefix}webhook:stream:${endpoint}`;
  const givenUp = `${prefix}webhook:given-up:${endpoint}`;
  const seenKey = (identity: string): string => `webhook:seen:${endpoint}:${identity}`;
  const contextOf = (identity: string): string => `webhook.${endpoint}.${identity}`;
  let ready: Promise<void> | undefined;

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
      return await command();
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('NOGROUP')) ready = undefined; // Redis was emptied
      throw error instanceof StorageError ? error : new StorageError(error);
    }
  }

  function entryFrom([id, fields]: RawEntry): (Entry & { identity: string }) | undefined {
    const { identity = '', type = '', body = '' } = pairs(fields ?? []);
    try {
      return { id, type, identity, body: cipher.decrypt(body, contextOf(identity)) };
    } catch {
      return undefined; // spoilt, or sealed with a key that is gone
    }
  }

  async function append(identity: string, type: string, body: string, ageMs: number) {
    const age = Math.ceil(ageMs) + SLACK_MS;
    const sealed = cipher.encrypt(body, contextOf(identity));
    const outcome = await call(() => redis.eval(APPEND, 1, stream, identity, age, limits.maxEntries, type, sealed));
    if (outcome !== 'full' && replicas > 0) {
      const acknowledged = await call(() => redis.wait(replicas, 400));
      if (acknowledged < replicas)
        throw new StorageError(new Error('the replicas of Redis did not take the event in time'));
    }
    return outcome as 'new' | 'duplicate' | 'full';
  }

  return {
    async accept({ identity, type, body }) {
      const key = seenKey(identity);
      const startedMs = performance.now();
      const present = await keyValue.setIfAbsent(key, 'claimed', { ttlMs: limits.keptMs });
      if (present === 'stored') return 'duplicate';
      const ageMs = present === undefined ? performance.now() - startedMs : await ageOfClaim(key);
      const outcome = await append(identity, type, body, ageMs);
      if (outcome !== 'full') await keyValue.compareAndSet(key, 'claimed', 'stored');
      return present === undefined && outcome !== 'full' ? 'new' : outcome;
    },

    async claim({ count }) {
      await withGroup();
      const fresh = await call(
        () => redis.xreadgroup('GROUP', GROUP, consumer, 'COUNT', count, 'STREAMS', stream, '>') as Promise<Streams>,
      );
      const claims = (fresh?.[0]?.[1] ?? []).map((raw) => ({ raw, tries: 1 }));
      if (claims.length < count) claims.push(...(await claimOverdue(count - claims.length)));
      const readable: Claim[] = [];
      for (const { raw, tries } of claims) {
        const entry = entryFrom(raw);
        if (entry === undefined) await this.giveUp(raw[0]);
        else readable.push({ id: entry.id, type: entry.type, body: entry.body, tries });
      }
      return readable;
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
      const raws = await call(() => redis.xrevrange(stream, '+', '-', 'COUNT', count) as Promise<RawEntry[]>);
      const ids = raws.map(([id]) => id);
      const [failed, waiting] = await Promise.all([whichGivenUp(ids), whichWaiting(ids)]);
      return raws.flatMap((raw): Listed[] => {
        const entry = entryFrom(raw);
        if (entry === undefined) return [];
        const { id, type, body } = entry;
        return [{ id, type, body, state: failed.has(id) ? 'given_up' : waiting(id) ? 'waiting' : 'handled' }];
      });
    },

    async after(id) {
      if (id === undefined) {
        const [newest] = await call(() => redis.xrevrange(stream, '+', '-', 'COUNT', 1) as Promise<RawEntry[]>);
        return { entries: [], last: newest?.[0] ?? '0-0' };
      }
      const raws = await call(() => redis.xrange(stream, `(${id}`, '+', 'COUNT', 100) as Promise<RawEntry[]>);
      return { entries: raws.flatMap((raw) => entryFrom(raw) ?? []), last: raws.at(-1)?.[0] ?? id };
    },

    async trim() {
      await withGroup();
      await call(() => redis.eval(TRIM, 1, stream, limits.keptMs, KEPT_ENTRIES, GROUP));
    },
  };

  /** How long ago the first delivery of this identity came in, by the clock of Redis. */
  async function ageOfClaim(key: string): Promise<number> {
    const claim = await keyValue.getWithTtl(key);
    return claim === undefined ? limits.keptMs : Math.max(0, limits.keptMs - claim.ttlMs);
  }

  /** Of dead processes, and failed before: an entry is due when it has been idle for the pause of its number of tries. */
  async function claimOverdue(count: number): Promise<{ raw: RawEntry; tries: number }[]> {
    const shortest = Math.max(0, limits.pauseMs(1));
    const pending = await call(
      () => redis.xpending(stream, GROUP, 'IDLE', shortest, '-', '+', count * 4) as Promise<Pending[]>,
    );
    const due = pending.filter(([, , idleMs, tries]) => idleMs >= limits.pauseMs(tries)).slice(0, count);
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

type RawEntry = [id: string, fields: string[] | null];
type Streams = [name: string, entries: RawEntry[]][] | null;
type Pending = [id: string, consumer: string, idleMs: number, tries: number];

function pairs(list: readonly string[]): Record<string, string | undefined> {
  const object: Record<string, string | undefined> = {};
  for (let index = 0; index + 1 < list.length; index += 2) object[list[index] ?? ''] = list[index + 1];
  return object;
}

function isAfter(id: string, other: string): boolean {
  const [ms = 0, n = 0] = id.split('-').map(Number);
  const [otherMs = 0, otherN = 0] = other.split('-').map(Number);
  return ms > otherMs || (ms === otherMs && n > otherN);
}

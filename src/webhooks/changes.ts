import type { Cluster, Redis } from 'ioredis';
import { StorageError } from '../errors.js';
import type { Emit } from '../events.js';
import { atMsOf, isAfter } from './entry-id.js';
import { withoutForeignValue } from './foreign-value.js';

const MAX_CHANGES = 1_000;
const PER_READ = 100;
/** An id further ahead is nobody's clock: somebody else has put it there. */
const MAX_AHEAD_MS = 3_600_000;

/** Appends a change. Drops a stream that ends in the future first: new ids would be there, too. */
const PUBLISH = `local stream, maxChanges, maxAheadMs, eventType, subject = KEYS[1], unpack(ARGV)
local newest = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
local latestMs = redis.call('TIME')[1] * 1000 + maxAheadMs
local dropped = 0
if newest and tonumber(string.match(newest[1], '^%d+')) > latestMs then
  dropped = redis.call('DEL', stream)
end
redis.call('XADD', stream, 'MAXLEN', '~', maxChanges, '*', 'type', eventType, 'subject', subject)
return dropped`;

/** A change, for processes and open pages: a type and an id, never data. */
export interface Change {
  /** `<epoch milliseconds>-<n>`. */
  readonly id: string;
  readonly type: string;
  /** The id of the thing that changed, where the event names one. */
  readonly subject: string | undefined;
}

/** The last `MAX_CHANGES` of one endpoint, in the order in which they were handled. */
export interface Changes {
  publish(change: { type: string; subject: string | undefined }): Promise<void>;
  /** The changes after `id`, in order; none without `id`. Pass `last` as the next `id`. */
  after(id: string | undefined): Promise<{ changes: Change[]; last: string }>;
}

export function createMemoryChanges({ now }: { now: () => number }): Changes {
  const changes: Change[] = [];
  let counter = 0;
  return {
    async publish(change) {
      changes.push({ id: `${now()}-${++counter}`, ...change });
      if (changes.length > MAX_CHANGES) changes.shift();
    },
    async after(id) {
      if (id === undefined) return { changes: [], last: changes.at(-1)?.id ?? '0-0' };
      const later = changes.filter((change) => isAfter(change.id, id)).slice(0, PER_READ);
      return { changes: later, last: later.at(-1)?.id ?? id };
    },
  };
}

export const changesKey = (endpoint: string): string => `webhook:changes:${endpoint}`;

/** @throws {StorageError} from every method. */
export function createRedisChanges({
  redis,
  endpoint,
  now,
  connected = Promise.resolve(),
  emit = () => undefined,
}: {
  /** With a key prefix of its own. */
  redis: Redis | Cluster;
  endpoint: string;
  now: () => number;
  connected?: Promise<void>;
  emit?: Emit;
}): Changes {
  const stream = changesKey(endpoint);
  const own = { key: stream, readBy: 'XLEN' } as const;
  async function call<T>(command: () => Promise<T>): Promise<T> {
    try {
      await connected;
      return await withoutForeignValue(command, { redis, own, emit });
    } catch (error) {
      throw new StorageError(error);
    }
  }
  const isAhead = (id: string): boolean => atMsOf(id) > now() + MAX_AHEAD_MS;
  return {
    async publish({ type, subject = '' }) {
      const options = [MAX_CHANGES, MAX_AHEAD_MS, type, subject];
      const dropped = await call(() => redis.eval(PUBLISH, 1, stream, ...options));
      if (dropped === 1) emit({ type: 'record_replaced', record: 'webhook' });
    },
    async after(id) {
      const [newest] = await call(() => redis.xrevrange(stream, '+', '-', 'COUNT', 1));
      const last = newest?.[0] ?? '0-0';
      if (id === undefined || id === last) return { changes: [], last };
      // Redis was emptied, or `id` is a time and not that of a change
      const isPastNewest = isAfter(id, last);
      if (isPastNewest && !isAhead(id)) return { changes: [], last };
      const start = isPastNewest ? '-' : `(${id}`; // the stream of an id ahead was dropped
      const entries = await call(() => redis.xrange(stream, start, '+', 'COUNT', PER_READ));
      const changes = entries.map(([each, [, type = '', , subject = '']]): Change => ({
        id: each,
        type,
        subject: subject === '' ? undefined : subject,
      }));
      return { changes, last: changes.at(-1)?.id ?? id };
    },
  };
}

import type { Cluster, Redis } from 'ioredis';
import { RecordError, StorageError } from '../errors.js';
import type { Emit } from '../events.js';
import type { KeyValue } from './key-value.js';

const COMPARE_AND_SET = `if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL') return 1 end return 0`;
const COMPARE_AND_DELETE = `if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1]) end return 0`;
const NOT_WHAT_WE_WROTE =
  /^(WRONGTYPE|ERR (value is not an integer|increment or decrement would overflow))/;
const INCREMENT = `local count = redis.call('INCRBY', KEYS[1], ARGV[2])
if count == tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return { count, redis.call('PTTL', KEYS[1]) }`;
const GET_WITH_TTL = `return { redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1]) }`;

/** Scripts go as EVAL: no server needs to know them, so failover changes nothing. Needs Redis 7. */
export function createRedisKeyValue({
  redis,
  emit = () => undefined,
}: {
  redis: Redis | Cluster;
  emit?: Emit;
}): KeyValue {
  async function run<T>(operation: string, command: () => Promise<T>): Promise<T> {
    try {
      return await inTime(command());
    } catch (error) {
      if (error instanceof Error && NOT_WHAT_WE_WROTE.test(error.message))
        throw new RecordError('broken', error);
      emit({ type: 'storage_failed', operation });
      throw new StorageError(error);
    }
  }
  const hasChanged = async (script: string, key: string, ...values: string[]): Promise<boolean> =>
    (await redis.eval(script, 1, key, ...values)) === 1;
  const px = (ttlMs: number): number => Math.max(1, Math.ceil(ttlMs));

  return {
    get: async (key) => (await run('get', () => redis.get(key))) ?? undefined,
    getWithTtl: (key) =>
      run('get', async () => {
        const [value, left] = (await redis.eval(GET_WITH_TTL, 1, key)) as [string | null, number];
        return value === null ? undefined : { value, ttlMs: ttlOf(left) };
      }),
    set: (key, value, { ttlMs }) =>
      run('set', async () => void (await redis.set(key, value, 'PX', px(ttlMs)))),
    setIfAbsent: (key, value, { ttlMs }) =>
      run('setIfAbsent', async () => {
        const present = await redis.call('SET', key, value, 'PX', px(ttlMs), 'NX', 'GET');
        return typeof present === 'string' ? present : undefined;
      }),
    take: async (key) => (await run('take', () => redis.getdel(key))) ?? undefined,
    compareAndSet: (key, ...values) =>
      run('compareAndSet', () => hasChanged(COMPARE_AND_SET, key, ...values)),
    compareAndDelete: (key, expected) =>
      run('compareAndDelete', () => hasChanged(COMPARE_AND_DELETE, key, expected)),
    increment: (key, { ttlMs, by = 1 }) =>
      run('increment', async () => {
        const reply: unknown = await redis.eval(INCREMENT, 1, key, px(ttlMs), by);
        const [count, left] = reply as [number, number];
        return { count, ttlMs: ttlOf(left) };
      }),
    expire: (key, { ttlMs }) =>
      run('expire', async () => void (await redis.pexpire(key, px(ttlMs)))),
    delete: (key) => run('delete', async () => void (await redis.del(key))),
  };
}

/** PTTL says -1 for a key that never expires. */
const ttlOf = (pttl: number): number => (pttl < 0 ? Infinity : pttl);

const DEADLINE_MS = 500;

/** At the deadline the event loop gets one more turn: what came while it was blocked counts. */
export function inTime<T>(command: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onLate = (): void => reject(new Error('Redis did not answer in time'));
    const timer = setTimeout(() => setImmediate(onLate), DEADLINE_MS);
    void command.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

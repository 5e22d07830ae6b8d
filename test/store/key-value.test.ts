/// <reference types="jest" />
import { RecordError, StorageError } from '../../src/errors.js';
import type { KeyValue } from '../../src/core/storage/key-value.js';
import { createMemoryKeyValue } from '../../src/core/storage/memory.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';
import { connectStorage, passTime, type RedisStorage } from '../support/redis-storage.js';

jest.setTimeout(30_000);

let server: RedisServer;
let redis: RedisStorage;
beforeAll(async () => {
  server = await startRedis();
  redis = await connectStorage(server);
});
beforeEach(() => server.client.flushall());
afterAll(async () => {
  await redis.keyValue.close();
  await server.close();
});

interface Storage {
  keyValue: KeyValue;
  pass: (ms: number) => Promise<void>;
}

function inMemory(): Storage {
  let nowMs = 0;
  return {
    keyValue: createMemoryKeyValue({ now: () => nowMs }),
    pass: async (ms) => Promise.resolve(void (nowMs += ms)),
  };
}

const inRedis = (): Storage => ({ keyValue: redis.keyValue, pass: (ms) => passTime(server, ms) });

const minute = { ttlMs: 60_000 };
const times = <T>(count: number, action: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => action(index)));

describe.each([
  ['memory', inMemory],
  ['a real Redis', inRedis],
])('storage in %s', (_name, open) => {
  let keyValue: KeyValue;
  let pass: Storage['pass'];
  beforeEach(() => ({ keyValue, pass } = open()));

  it.each(['value', '', 'with\nline\0breaks', 'ünïcödé \u{1f511}', 'x'.repeat(100_000)])(
    'gives back what was set',
    async (value) => {
      await keyValue.set('a key: {with} *signs*', value, minute);
      expect(await keyValue.get('a key: {with} *signs*')).toBe(value);
    },
  );

  it('has nothing under a key that was never set', async () => {
    expect(await keyValue.get('k')).toBeUndefined();
    expect(await keyValue.take('k')).toBeUndefined();
    await keyValue.delete('k');
  });

  it('forgets a value when its time is over, and not before', async () => {
    await keyValue.set('k', 'v', minute);
    await pass(50_000);
    expect(await keyValue.get('k')).toBe('v');
    await pass(10_000);
    expect(await keyValue.get('k')).toBeUndefined();
  });

  it('starts the time anew with every set', async () => {
    await keyValue.set('k', 'v', minute);
    await pass(50_000);
    await keyValue.set('k', 'w', minute);
    await pass(50_000);
    expect(await keyValue.get('k')).toBe('w');
  });

  it('sets what is absent and says who holds what is not', async () => {
    expect(await keyValue.setIfAbsent('k', 'first', minute)).toBeUndefined();
    await pass(50_000);
    expect(await keyValue.setIfAbsent('k', 'second', minute)).toBe('first');
    expect(await keyValue.get('k')).toBe('first');
    await pass(10_000); // the time of the first goes on
    expect(await keyValue.setIfAbsent('k', 'third', minute)).toBeUndefined();
    expect(await keyValue.get('k')).toBe('third');
  });

  it('lets exactly one of 20 that set at the same time win, and names it to the others', async () => {
    const answers = await times(20, (index) =>
      keyValue.setIfAbsent('k', `holder-${index}`, minute),
    );
    const winner = await keyValue.get('k');
    expect(answers.filter((answer) => answer === undefined)).toHaveLength(1);
    expect(answers.filter((answer) => answer === winner)).toHaveLength(19);
  });

  it('gives a value to exactly one of 20 that take it at the same time', async () => {
    await keyValue.set('k', 'v', minute);
    const taken = await times(20, () => keyValue.take('k'));
    expect(taken.filter((value) => value === 'v')).toHaveLength(1);
    expect(taken.filter((value) => value === undefined)).toHaveLength(19);
    expect(await keyValue.get('k')).toBeUndefined();
  });

  it('has nothing to take when the time is over', async () => {
    await keyValue.set('k', 'v', minute);
    await pass(60_000);
    expect(await keyValue.take('k')).toBeUndefined();
  });

  it('replaces exactly what was expected and keeps its time', async () => {
    await keyValue.set('k', 'old', minute);
    await pass(50_000);
    expect(await keyValue.compareAndSet('k', 'old', 'new')).toBe(true);
    expect(await keyValue.get('k')).toBe('new');
    await pass(10_000);
    expect(await keyValue.get('k')).toBeUndefined();
  });

  it('replaces nothing else', async () => {
    await keyValue.set('k', 'theirs', minute);
    expect(await keyValue.compareAndSet('k', 'old', 'new')).toBe(false);
    expect(await keyValue.get('k')).toBe('theirs');
    expect(await keyValue.compareAndSet('absent', 'old', 'new')).toBe(false);
    expect(await keyValue.get('absent')).toBeUndefined();
    await pass(60_000);
    expect(await keyValue.compareAndSet('k', 'theirs', 'new')).toBe(false);
    expect(await keyValue.get('k')).toBeUndefined();
  });

  it('lets exactly one of 20 replace the same value', async () => {
    await keyValue.set('k', 'old', minute);
    const done = await times(20, (index) => keyValue.compareAndSet('k', 'old', `new-${index}`));
    expect(done.filter(Boolean)).toHaveLength(1);
    expect(await keyValue.get('k')).toBe(`new-${done.indexOf(true)}`);
  });

  it('deletes exactly what was expected', async () => {
    await keyValue.set('k', 'mine', minute);
    expect(await keyValue.compareAndDelete('k', 'theirs')).toBe(false);
    expect(await keyValue.get('k')).toBe('mine');
    expect(await times(20, () => keyValue.compareAndDelete('k', 'mine'))).toContain(true);
    expect(await keyValue.get('k')).toBeUndefined();
    expect(await keyValue.compareAndDelete('k', 'mine')).toBe(false);
  });

  it('counts without losing one, in a time that starts with the first', async () => {
    const counts = await times(50, () => keyValue.increment('k', minute));
    expect(counts.map(({ count }) => count).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 50 }, (_, i) => i + 1),
    );
    for (const { ttlMs } of counts) expect(ttlMs).toBeGreaterThan(55_000);
    for (const { ttlMs } of counts) expect(ttlMs).toBeLessThanOrEqual(60_000);

    await pass(50_000);
    const later = await keyValue.increment('k', minute);
    expect(later.count).toBe(51);
    expect(later.ttlMs).toBeLessThanOrEqual(10_000);
    await pass(10_000);
    expect(await keyValue.increment('k', minute)).toMatchObject({ count: 1 });
  });

  it('reads a value with what is left of its time, on no clock but its own', async () => {
    expect(await keyValue.getWithTtl('k')).toBeUndefined();
    await keyValue.set('k', 'v', minute);
    await pass(20_000);
    const read = await keyValue.getWithTtl('k');
    expect(read?.value).toBe('v');
    expect(read?.ttlMs).toBeGreaterThan(35_000);
    expect(read?.ttlMs).toBeLessThanOrEqual(40_000);
  });

  it.each(['text', '{}', 'null', '1e999', '1.5', ''])(
    'calls a count of %p a broken record',
    async (value) => {
      await keyValue.set('k', value, minute);
      await expect(keyValue.increment('k', minute)).rejects.toMatchObject({
        code: 'record_broken',
      });
    },
  );

  it('lengthens and shortens a time, and makes nothing of a key that is not there', async () => {
    await keyValue.set('k', 'v', minute);
    await keyValue.expire('k', { ttlMs: 600_000 });
    await pass(300_000);
    expect(await keyValue.get('k')).toBe('v');
    await keyValue.expire('k', { ttlMs: 10_000 });
    await pass(10_000);
    expect(await keyValue.get('k')).toBeUndefined();
    await keyValue.expire('k', minute);
    expect(await keyValue.get('k')).toBeUndefined();
  });

  it('deletes', async () => {
    await keyValue.set('k', 'v', minute);
    await keyValue.delete('k');
    expect(await keyValue.get('k')).toBeUndefined();
  });
});

it('a storage that carries out every command answers a ping', async () => {
  await expect(redis.keyValue.ping()).resolves.toBeUndefined();
});

describe('memory', () => {
  it('is freed of what nobody asks for any more', async () => {
    let nowMs = 0;
    const keyValue = createMemoryKeyValue({ now: () => nowMs });
    await keyValue.set('k', 'v', minute);
    nowMs = 60_001;
    await times(1000, (index) => keyValue.set(`other-${index}`, 'v', minute));
    nowMs = 0; // were it still there, it would be alive again
    expect(await keyValue.get('k')).toBeUndefined();
  });
});

describe('Redis', () => {
  const commands: [string, (keyValue: KeyValue) => Promise<unknown>][] = [
    ['get', (keyValue) => keyValue.get('k')],
    ['take', (keyValue) => keyValue.take('k')],
    ['setIfAbsent', (keyValue) => keyValue.setIfAbsent('k', 'v', minute)],
    ['compareAndSet', (keyValue) => keyValue.compareAndSet('k', 'v', 'w')],
    ['compareAndDelete', (keyValue) => keyValue.compareAndDelete('k', 'v')],
    ['increment', (keyValue) => keyValue.increment('k', minute)],
    ['getWithTtl', (keyValue) => keyValue.getWithTtl('k')],
  ];

  it.each(commands)('calls a key of another type a broken record (%s)', async (_name, command) => {
    await server.client.hset('k', 'field', 'value');
    const failed = expect(command(redis.keyValue)).rejects;
    await failed.toBeInstanceOf(RecordError);
    await expect(command(redis.keyValue)).rejects.toMatchObject({ code: 'record_broken' });
    expect(await server.client.hget('k', 'field')).toBe('value');
  });

  it('says when a key of somebody else never expires', async () => {
    await server.client.set('k', '7');
    expect(await redis.keyValue.getWithTtl('k')).toEqual({ value: '7', ttlMs: Infinity });
    expect(await redis.keyValue.increment('k', minute)).toEqual({ count: 8, ttlMs: Infinity });
  });

  it('[C12] gives every key a time', async () => {
    const { keyValue } = redis;
    await keyValue.set('set', 'v', minute);
    await keyValue.setIfAbsent('setIfAbsent', 'v', minute);
    await keyValue.compareAndSet('set', 'v', 'w');
    await keyValue.increment('increment', minute);
    for (const key of await server.client.keys('*')) {
      const left = await server.client.pttl(key);
      expect([key, left > 0 && left <= 60_000]).toEqual([key, true]);
    }
  });

  it('takes part of a millisecond as one', async () => {
    await expect(redis.keyValue.set('k', 'v', { ttlMs: 0.2 })).resolves.toBeUndefined();
    await expect(redis.keyValue.set('k', 'v', { ttlMs: -5 })).resolves.toBeUndefined();
  });

  it('that refuses writes is a storage error for them, and goes on reading', async () => {
    await redis.keyValue.set('k', 'v', minute);
    await server.client.config('SET', 'min-replicas-to-write', '1');
    redis.events.length = 0;
    try {
      await expect(redis.keyValue.set('k', 'w', minute)).rejects.toBeInstanceOf(StorageError);
      await expect(redis.keyValue.compareAndSet('k', 'v', 'w')).rejects.toBeInstanceOf(
        StorageError,
      );
      expect(await redis.keyValue.get('k')).toBe('v');
      expect(redis.events).toEqual([
        { type: 'storage_failed', operation: 'set' },
        { type: 'storage_failed', operation: 'compareAndSet' },
      ]);
    } finally {
      await server.client.config('SET', 'min-replicas-to-write', '0');
    }
  });

  it('[C10] that does not answer is a storage error within two seconds, and works again by itself', async () => {
    server.pause();
    const startedMs = performance.now();
    const answers = await Promise.allSettled(
      commands.map(([, command]) => command(redis.keyValue)),
    );
    server.resume();
    expect(performance.now() - startedMs).toBeLessThan(2000);
    for (const answer of answers) {
      expect(answer).toMatchObject({
        status: 'rejected',
        reason: { code: 'storage_unavailable', status: 503 },
      });
    }
    await redis.keyValue.set('k', 'v', minute);
    expect(await redis.keyValue.get('k')).toBe('v');
  });
});

const hundred = Array.from({ length: 100 }, (_, index) => `k${index}`);
const get = (key: string): Promise<string | undefined> => redis.keyValue.get(key);

describe('a hundred reads asked for at once', () => {
  it('each get their own value', async () => {
    await Promise.all(hundred.map((key) => server.client.set(key, `value of ${key}`)));
    expect(await Promise.all(hundred.map(get))).toEqual(hundred.map((key) => `value of ${key}`));
  });

  it('see every write that was answered before', async () => {
    for (const value of ['first', 'second']) {
      await redis.keyValue.set('k1', value, { ttlMs: 60_000 });
      expect(await Promise.all(hundred.map(() => get('k1')))).toEqual(hundred.map(() => value));
    }
  });

  it('find nothing, or something that is no text, without disturbing one another', async () => {
    await server.client.set('k1', 'text');
    await server.client.hset('k2', 'field', 'value');
    const [text, hash, nothing] = await Promise.allSettled(['k1', 'k2', 'k3'].map(get));
    expect(text).toEqual({ status: 'fulfilled', value: 'text' });
    expect(hash).toEqual({ status: 'rejected', reason: expect.any(RecordError) as RecordError });
    expect(nothing).toEqual({ status: 'fulfilled', value: undefined });
  });

  it('all fail when the storage does not answer', async () => {
    const paused = await startRedis();
    const { keyValue } = await connectStorage(paused);
    await paused.client.call('CLIENT', 'PAUSE', '5000', 'ALL');
    const results = await Promise.allSettled(hundred.map((key) => keyValue.get(key)));
    for (const result of results)
      expect(result).toEqual({
        status: 'rejected',
        reason: expect.any(StorageError) as StorageError,
      });
    await keyValue.close();
    await paused.close();
  });
});

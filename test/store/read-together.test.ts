import { RecordError, StorageError } from '../../src/errors.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';
import { connectStorage, type RedisStorage } from '../support/redis-storage.js';

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

const keys = Array.from({ length: 100 }, (_, index) => `k${index}`);
const get = (key: string): Promise<string | undefined> => redis.keyValue.get(key);

async function callsOf(command: string): Promise<number> {
  const stats = await server.client.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

describe('a hundred reads asked for at once', () => {
  it('are one command, and each gets its own value', async () => {
    await Promise.all(keys.map((key) => server.client.set(key, `value of ${key}`)));
    await server.client.config('RESETSTAT');
    expect(await Promise.all(keys.map(get))).toEqual(keys.map((key) => `value of ${key}`));
    expect([await callsOf('mget'), await callsOf('get')]).toEqual([1, 0]);
  });

  it('see every write that was answered before', async () => {
    for (const value of ['first', 'second']) {
      await redis.keyValue.set('k1', value, { ttlMs: 60_000 });
      expect(await Promise.all(keys.map(() => get('k1')))).toEqual(keys.map(() => value));
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
    const results = await Promise.allSettled(keys.map((key) => keyValue.get(key)));
    for (const result of results)
      expect(result).toEqual({ status: 'rejected', reason: expect.any(StorageError) as StorageError });
    await keyValue.close();
    await paused.close();
  });
});

/// <reference types="jest" />
import { createRedisKeyValue } from '../../src/core/storage/redis.js';
import { createConfirmations } from '../../src/explorer/confirmations.js';
import { announceSecret, SECRET_CHECK_KEY } from '../../src/redis/secret-check.js';
import { createResultStore } from '../../src/tour/results.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';
import { describeSpoiltValues } from '../support/spoilt-values.js';

jest.setTimeout(30_000);

describeSpoiltValues({ runs: 10, startRedis });

describe.each<[string, (redis: RedisServer, key: string) => Promise<unknown>]>([
  ['a hash', ({ client }, key) => client.hset(key, 'field', 'value')],
  ['a list', ({ client }, key) => client.rpush(key, 'value')],
  ['a text', ({ client }, key) => client.set(key, 'null')],
  ['a number', ({ client }, key) => client.set(key, '1e999')],
])('%s without an end', (_name, put) => {
  let redis: RedisServer;
  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(() => redis.close());
  const keyValue = () => createRedisKeyValue({ redis: redis.client });

  it('in place of the check value of SESSION_SECRET accuses nobody and is replaced', async () => {
    await put(redis, SECRET_CHECK_KEY);
    let told = 0;
    const options = { secrets: ['a secret'], onDiffering: () => void (told += 1) };
    (await announceSecret(keyValue(), options))();
    expect(told).toBe(0);
    expect(await redis.client.get(SECRET_CHECK_KEY)).toMatch(/^[\w-]{22}$/);
  });

  it("in place of the tour's results and its turn lets scenes be played", async () => {
    await put(redis, 'tour:results:browser');
    await put(redis, 'tour:turn');
    const results = createResultStore(keyValue());
    expect(await results.read('browser')).toEqual({});
    const played = await results.takeTurn(async () => {
      expect(await results.takeTurn(() => Promise.resolve('another'))).toBeUndefined();
      return 'played';
    });
    expect(played).toBe('played');
  });

  it('in place of a confirmation confirms nothing', async () => {
    const confirmations = createConfirmations({ keyValue: keyValue() });
    const write = { grantId: 'grant', method: 'POST', path: '/debts', query: '', body: '{}' };
    const id = await confirmations.create(write);
    await redis.client.del(`explorer:${id}`);
    await put(redis, `explorer:${id}`);
    expect(await confirmations.use(id, write as never)).toBe(false);
  });
});

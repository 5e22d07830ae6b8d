import { startRedis, type RedisServer } from '../support/redis-server.js';
import type { TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';
import { createCaller, signIn, startProxyApp, type Caller } from './support/caller.js';

const LIMIT_WINDOW_S = 600;

let redis: RedisServer;
let one: TestApp;
let two: TestApp;
beforeAll(async () => {
  redis = await startRedis();
  const env = { REDIS_URL: redis.url };
  one = await startProxyApp({ env, faults: { limitWindowS: LIMIT_WINDOW_S } });
  two = await startProxyApp({ env: { ...env, PUBLIC_URL: one.publicUrl }, sandbox: one.sandbox });
});
afterAll(async () => {
  await two.close();
  await one.close();
  await redis.close();
});
beforeEach(async () => {
  one.sandbox.control.reset();
  await redis.client.flushall();
  for (const { clock } of [one, two]) clock.skipMs(2 * LIMIT_WINDOW_S * 1000); // nothing is known of the limit
});

const counters = () => one.sandbox.control.state().counters;

/** The same browser, at the other instance. */
const at = (app: TestApp, { browser, csrfToken }: Caller): Caller =>
  createCaller(app.origin, browser, csrfToken);

describe('two instances on one Redis', () => {
  it('after a 401 use the token the other has renewed, without renewing it again', async () => {
    const atOne = await signIn(one);
    const atTwo = at(two, atOne);
    await atOne.read('/api/debts');
    await atTwo.read('/api/debts'); // now both hold a copy of the token
    one.sandbox.control.set({ api: [{ mode: 'unauthorized' }] });
    expect((await atTwo.read('/api/debts')).status).toBe(200);
    expect(counters().refreshOk).toBe(1);

    const before = counters();
    const answer = await atOne.write('DELETE', '/api/debts/d1'); // its copy is dead by now
    expect(answer.status).toBe(404);
    expect(counters()).toMatchObject({
      apiCalls: before.apiCalls + 2,
      apiUnauthorized: before.apiUnauthorized + 1,
      tokenCalls: before.tokenCalls,
    });
  });

  it.each(['garbage', 'null', '[]', '{"limit":"many"}', '{"blockedUntilMs":9e15}'])(
    'go on when somebody else has written where they note the limit: %s',
    async (written) => {
      const visitor = await signIn(one);
      one.clock.skipMs(1_000);
      await visitor.read('/api/debts');
      const records = (): Promise<string[]> => redis.client.keys('*quota:*:read');
      await until('the limit is noted', async () => (await records()).length === 1);
      const keys = await records();
      for (const key of keys) await redis.client.set(key, written);
      one.clock.skipMs(1_000);
      expect((await visitor.read('/api/debts')).status).toBe(200);
      for (const key of keys)
        await until('ours again', async () => (await redis.client.pttl(key)) > 0); // ours again
    },
  );

  it('[J03] count one share of the limit between them', async () => {
    one.sandbox.control.set({ limitReads: 40 });
    const atOne = await signIn(one);
    const atTwo = at(two, atOne);
    await atOne.read('/api/debts');
    await atTwo.read('/api/debts');
    const before = counters().apiCalls;
    const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? atOne : atTwo).read('/api/debts'))); // prettier-ignore
    const served = answers.filter(({ status }) => status === 200).length;
    expect(served).toBeLessThanOrEqual(10);
    expect([counters().apiCalls - before, served]).toEqual([served, served]);
  });

  it('[J03] both keep away from GetBill once it has said 429 to one, within the second between two looks', async () => {
    const atOne = await signIn(one);
    const atTwo = await signIn(two);
    await atTwo.read('/api/debts'); // has just looked
    one.sandbox.control.set({ api: [{ mode: 'rateLimited', retryAfterS: 300 }] });
    expect((await atOne.read('/api/debts')).status).toBe(429);
    const before = counters().apiCalls;
    two.clock.skipMs(1_000);
    const answer = await atTwo.read('/api/debts');
    expect([answer.status, answer.json['error']]).toEqual([429, 'getbill_quota_used']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(280);
    expect(counters().apiCalls).toBe(before);
  });

  it('[J03] a third that starts meanwhile keeps away from the first call on', async () => {
    const atOne = await signIn(one);
    one.sandbox.control.set({
      api: [{ mode: 'rateLimited', retryAfterS: 3000, method: 'DELETE' }],
    });
    expect((await atOne.write('DELETE', '/api/debts/d1')).status).toBe(429);
    const before = counters().apiCalls;
    const three = await startProxyApp({
      env: { REDIS_URL: redis.url, PUBLIC_URL: one.publicUrl },
      sandbox: one.sandbox,
    });
    try {
      expect((await at(three, atOne).write('DELETE', '/api/debts/d1')).status).toBe(429);
      expect(counters().apiCalls).toBe(before);
    } finally {
      await three.close();
    }
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import { createCipher } from '../../src/core/storage/cipher.js';
import { createMemoryKeyValue } from '../../src/core/storage/memory.js';
import { createRedisKeyValue } from '../../src/core/storage/redis-key-value.js';
import type { Inbox, InboxLimits } from '../../src/webhooks/inbox.js';
import { createMemoryInbox } from '../../src/webhooks/memory-inbox.js';
import { createRedisInbox } from '../../src/webhooks/redis-inbox.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';

const limits: InboxLimits = { maxEntries: 100, keptMs: 60_000, pauseMs: () => 40 };
const cipher = createCipher([Buffer.alloc(32, 7)]);
const body = '{"type":"debt.updated","data":{"id":"d1"}}';
const delivery = (identity: string) => ({ identity, type: 'debt.updated', body });

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.close());

let endpoint = 0;
/** Two processes at one inbox. */
const adapters: [string, () => [Inbox, Inbox]][] = [
  [
    'memory',
    () => {
      const inbox = createMemoryInbox({ now: () => Date.now(), limits });
      return [inbox, inbox];
    },
  ],
  [
    'Redis',
    () => {
      const keyValue = createRedisKeyValue({ redis: redis.client, emit: () => undefined, prefix: 'gb:' } as never);
      const at = `e${++endpoint}`;
      const open = (consumer: string): Inbox =>
        createRedisInbox({ redis: redis.client, keyValue, cipher, endpoint: at, prefix: 'gb:', consumer, limits, replicas: 0 }); // prettier-ignore
      return [open('one'), open('two')];
    },
  ],
];

describe.each(adapters)('the inbox in %s', (_name, open) => {
  it('keeps one entry of twenty simultaneous duplicates', async () => {
    const [one, two] = open();
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? one : two).accept(delivery('a'))));
    expect(outcomes.filter((outcome) => outcome === 'new')).toHaveLength(1);
    expect(outcomes.every((outcome) => outcome === 'new' || outcome === 'duplicate')).toBe(true);
    expect(await one.recent(10)).toMatchObject([{ type: 'debt.updated', state: 'waiting', body }]);
  });

  it('gives each entry to one process, and again only after the pause', async () => {
    const [one, two] = open();
    for (const identity of ['a', 'b', 'c']) await one.accept(delivery(identity));
    const [first, second] = await Promise.all([one.claim({ count: 2 }), two.claim({ count: 2 })]);
    expect([...first, ...second].map(({ tries }) => tries)).toEqual([1, 1, 1]);
    expect(await two.claim({ count: 5 })).toEqual([]);
    await delay(50);
    const again = await two.claim({ count: 5 });
    expect(again.map(({ tries }) => tries)).toEqual([2, 2, 2]);
    expect(again.map(({ body: text }) => text)).toEqual([body, body, body]);
  });

  it('never gives out what is done or given up, and the list says which is which', async () => {
    const [one] = open();
    for (const identity of ['a', 'b', 'c']) await one.accept(delivery(identity));
    const [a, b] = await one.claim({ count: 2 });
    await one.done(a?.id ?? '');
    await one.giveUp(b?.id ?? '');
    await delay(50);
    expect(await one.claim({ count: 5 })).toHaveLength(1);
    expect((await one.recent(10)).map(({ state }) => state)).toEqual(['waiting', 'given_up', 'handled']);
  });

  it('handles a copy when asked to handle an entry again', async () => {
    const [one] = open();
    await one.accept(delivery('a'));
    const [claim] = await one.claim({ count: 1 });
    await one.done(claim?.id ?? '');
    expect(await one.again(claim?.id ?? '')).toBe(true);
    expect(await one.claim({ count: 1 })).toMatchObject([{ body, tries: 1 }]);
    expect(await one.again('1-1')).toBe(false);
  });

  it('refuses what is beyond its limit, and accepts it once there is room', async () => {
    const [one] = open();
    for (let n = 0; n < 100; n++) await one.accept(delivery(`n${n}`));
    expect(await one.accept(delivery('beyond'))).toBe('full');
    expect(await one.recent(200)).toHaveLength(100);
  });

  it('tells a follower what has come since', async () => {
    const [one] = open();
    await one.accept(delivery('before'));
    const { last } = await one.after(undefined);
    await one.accept(delivery('since'));
    const later = await one.after(last);
    expect(later.entries).toHaveLength(1);
    expect((await one.after(later.last)).entries).toEqual([]);
  });

  it('forgets nothing that is still to be handled when it trims', async () => {
    const [one] = open();
    await one.accept(delivery('a'));
    await one.accept(delivery('b'));
    const [a] = await one.claim({ count: 1 });
    await one.done(a?.id ?? '');
    await one.trim();
    expect(await one.claim({ count: 5 })).toHaveLength(1);
  });
});

describe('the inbox in Redis', () => {
  it('completes a delivery whose process died between claim and append, and between append and mark', async () => {
    const real = createMemoryKeyValue({ now: () => Date.now() });
    const open = (keyValue: typeof real): Inbox =>
      createRedisInbox({ redis: redis.client, keyValue, cipher, endpoint: 'crash', prefix: 'gb:', consumer: 'one', limits, replicas: 0 }); // prettier-ignore
    await real.setIfAbsent('webhook:seen:crash:a', 'claimed', { ttlMs: limits.keptMs }); // and then it died
    expect(await open(real).accept(delivery('a'))).toBe('new');

    const dying = { ...real, compareAndSet: () => Promise.reject(new Error('died')) };
    await expect(open(dying).accept(delivery('b'))).rejects.toThrow('died');
    await open(real).accept(delivery('b'));
    expect(await open(real).accept(delivery('b'))).toBe('duplicate');
    expect(await open(real).recent(10)).toHaveLength(2);
  });

  it('holds no readable body', async () => {
    const [inbox] = adapters[1]?.[1]() ?? [];
    await inbox?.accept({ identity: 'secret', type: 'debt.updated', body: '{"data":{"name":"CANARY"}}' });
    const streams = await redis.client.keys('gb:webhook:stream:*');
    for (const stream of streams)
      expect(JSON.stringify(await redis.client.xrange(stream, '-', '+'))).not.toContain('CANARY');
  });
});

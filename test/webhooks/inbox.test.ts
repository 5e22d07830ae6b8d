import { setTimeout as delay } from 'node:timers/promises';
import { createCipher } from '../../src/core/storage/cipher.js';
import type { AppEvent } from '../../src/events.js';
import { createRedisChanges } from '../../src/webhooks/changes.js';
import type { Inbox, InboxLimits } from '../../src/webhooks/inbox.js';
import { createMemoryInbox } from '../../src/webhooks/memory-inbox.js';
import { createRedisInbox } from '../../src/webhooks/redis-inbox.js';
import { until } from '../support/until.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';

const limits: InboxLimits = {
  maxEntries: 100,
  keptEntries: 1_000,
  keptMs: 60_000,
  pauseMs: () => 300,
};
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
      const at = `e${++endpoint}`;
      const open = (consumer: string): Inbox =>
        createRedisInbox({
          redis: redis.client,
          cipher,
          endpoint: at,
          consumer,
          limits,
          replicas: 0,
        });
      return [open('one'), open('two')];
    },
  ],
];

describe.each(adapters)('the inbox in %s', (_name, open) => {
  it('keeps one entry of twenty simultaneous duplicates', async () => {
    const [one, two] = open();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 ? one : two).accept(delivery('a'))),
    );
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
    await delay(320);
    const again = await two.claim({ count: 2 });
    expect(again).toHaveLength(2);
    again.push(...(await Promise.all([one.claim({ count: 5 }), two.claim({ count: 5 })])).flat());
    expect(again.map(({ tries }) => tries)).toEqual([2, 2, 2]);
    expect(again.map(({ body: text }) => text)).toEqual([body, body, body]);
  });

  it('gives nobody else what is kept, and counts no try for it', async () => {
    const [one, two] = open();
    await one.accept(delivery('a'));
    const [claim] = await one.claim({ count: 1 });
    await delay(200);
    await one.keep(claim?.id ?? '');
    await delay(150);
    expect(await two.claim({ count: 5 })).toEqual([]);
    await delay(200);
    expect(await two.claim({ count: 5 })).toMatchObject([{ tries: 2 }]);
  });

  it('never gives out what is done or given up, and the list says which is which', async () => {
    const [one] = open();
    for (const identity of ['a', 'b', 'c']) await one.accept(delivery(identity));
    const [a, b] = await one.claim({ count: 2 });
    await one.done(a?.id ?? '');
    await one.giveUp(b?.id ?? '');
    await delay(320);
    expect(await one.claim({ count: 5 })).toHaveLength(1);
    expect((await one.recent(10)).map(({ state }) => state)).toEqual([
      'waiting',
      'given_up',
      'handled',
    ]);
  });

  it('handles a copy when asked to handle an entry again', async () => {
    const [one] = open();
    await one.accept(delivery('a'));
    const [claim] = await one.claim({ count: 1 });
    await one.done(claim?.id ?? '');
    expect(await one.again(claim?.id ?? '')).toBe('new');
    expect(await one.claim({ count: 1 })).toMatchObject([{ body, tries: 1 }]);
    expect(await one.again('1-1')).toBe('gone');
  });

  it('refuses what is beyond its limit, and accepts it once there is room', async () => {
    const [one] = open();
    for (let n = 0; n < 100; n++) await one.accept(delivery(`n${n}`));
    expect(await one.accept(delivery('beyond'))).toBe('full');
    const [newest, ...older] = await one.recent(1);
    expect(older).toEqual([]);
    expect(await one.again(newest?.id ?? '')).toBe('full');
    expect(await one.recent(200)).toHaveLength(100);
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

it('the inbox in memory makes room by forgetting the oldest that is handled', async () => {
  const inbox = createMemoryInbox({ now: Date.now, limits: { ...limits, maxEntries: 2 } });
  for (const identity of ['a', 'b']) await inbox.accept(delivery(identity));
  expect(await inbox.accept(delivery('c'))).toBe('full');
  const [a] = await inbox.claim({ count: 1 });
  await inbox.done(a?.id ?? '');
  expect(await inbox.accept(delivery('c'))).toBe('new');
  expect((await inbox.recent(10)).map(({ state }) => state)).toEqual(['waiting', 'waiting']);
});

it('the inbox in memory keeps the newest thousand that are handled, and knows a duplicate of one it has forgotten', async () => {
  let nowMs = 1_000_000;
  const inbox = createMemoryInbox({
    now: () => nowMs,
    limits: { ...limits, maxEntries: 50_000 },
  });
  for (let n = 0; n < 1_010; n += 1) await inbox.accept(delivery(`n${n}`));
  const claims = await inbox.claim({ count: 1_007 });
  for (const { id } of claims) await inbox.done(id);
  await inbox.trim();
  const kept = await inbox.recent(2_000);
  expect(kept.filter(({ state }) => state === 'handled')).toHaveLength(1_000);
  expect(kept.filter(({ state }) => state === 'waiting')).toHaveLength(3);
  expect(kept.at(-1)?.id).toBe(claims[7]?.id);
  expect(await inbox.accept(delivery('n0'))).toBe('duplicate');
  nowMs += limits.keptMs;
  await inbox.trim();
  expect(await inbox.recent(2_000)).toHaveLength(3);
  expect(await inbox.accept(delivery('n0'))).toBe('new');
});

describe('the inbox in Redis', () => {
  const openAs = (
    consumer: string,
    at: string,
    overrides: Partial<Parameters<typeof createRedisInbox>[0]> = {},
  ): Inbox =>
    createRedisInbox({
      redis: redis.client,
      cipher,
      endpoint: at,
      consumer,
      limits,
      replicas: 0,
      ...overrides,
    });

  it('completes a delivery whose process died between the steps, and never twice', async () => {
    const inbox = openAs('one', 'crash');
    const [second, microseconds] = (await redis.client.time()).map(Number) as [number, number];
    const at = second * 1000 + Math.floor(microseconds / 1000);
    await redis.client.set('webhook:seen:crash:a', String(at)); // it died before the append
    expect(await inbox.accept(delivery('a'))).toBe('new');
    await redis.client.set('webhook:seen:crash:a', String(at)); // it died before the mark
    expect(await inbox.accept(delivery('a'))).toBe('duplicate');
    expect(await redis.client.get('webhook:seen:crash:a')).toBe('stored');
    const ahead = '99999999999999-0';
    const spoiltValues = ['', 'NaN', 'x', '99999999999999', `${at} x`, `${at} ${ahead}`, ' 1-1'];
    for (const spoilt of spoiltValues) {
      await redis.client.set('webhook:seen:crash:a', spoilt);
      expect([spoilt, await inbox.accept(delivery('a'))]).toEqual([spoilt, 'duplicate']);
    }
    expect(await inbox.recent(10)).toHaveLength(1);
  });

  it('appends what comes at the same time in one command, with an outcome for each', async () => {
    const [one, two] = ['one', 'two'].map((name) =>
      openAs(name, 'batch', { limits: { ...limits, maxEntries: 5 } }),
    ) as [Inbox, Inbox];
    await one.accept(delivery('known'));
    await redis.client.config('RESETSTAT');
    const identities = ['a', 'known', 'b', 'a', 'c', 'd', 'beyond', 'b'];
    const outcomes = await Promise.all(identities.map((each) => one.accept(delivery(each))));
    expect(outcomes).toEqual(
      ['new', 'duplicate', 'new', 'duplicate', 'new', 'new', 'full', 'duplicate'], // prettier-ignore
    );
    const calls = (name: string, stats: string): number =>
      Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1]);
    const stats = await redis.client.info('commandstats');
    expect([calls('xadd', stats), calls('xrange', stats)]).toEqual([4, 1]);
    expect(await two.accept(delivery('d'))).toBe('duplicate');
    expect(await two.accept(delivery('beyond'))).toBe('full');
    expect(await two.recent(10)).toHaveLength(5);
  });

  it('keeps one entry of each delivery that two processes get at once, in batches that overlap', async () => {
    const inboxes = [openAs('one', 'overlap'), openAs('two', 'overlap')];
    const identities = Array.from({ length: 60 }, (_, n) => `n${n}`);
    const outcomes = await Promise.all(
      [...identities, ...identities.toReversed()].flatMap((identity) =>
        inboxes.map((inbox) => inbox.accept(delivery(identity))),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'new')).toHaveLength(60);
    expect(outcomes.filter((outcome) => outcome === 'duplicate')).toHaveLength(180);
    expect(await redis.client.xlen('webhook:stream:overlap')).toBe(60);
  });

  it('looks for an entry from the one on that its process knew before the first delivery', async () => {
    const inbox = openAs('one', 'known');
    await inbox.accept(delivery('before'));
    const [before] = await inbox.recent(1);
    await inbox.accept(delivery('a'));
    for (let n = 0; n < 20; n += 1) await inbox.accept(delivery(`n${n}`));
    const [entry] = await redis.client.xrange('webhook:stream:known', '-', '+', 'COUNT', 1);
    const at = Number(entry?.[0].split('-')[0]);
    await redis.client.set('webhook:seen:known:a', `${at} ${before?.id ?? ''}`); // it died before the mark
    expect(await inbox.accept(delivery('a'))).toBe('duplicate');
    expect(await openAs('two', 'known').accept(delivery('a'))).toBe('duplicate');
    await redis.client.config('RESETSTAT');
    await inbox.accept(delivery('another'));
    const looked = (await redis.client.info('commandstats')).match(/cmdstat_xrange:calls=(\d+)/);
    expect(looked?.[1]).toBe('1');
    expect(await inbox.recent(50)).toHaveLength(23);
  });

  it('forgets that an entry was given up when its time is over, whichever were given up since', async () => {
    const inbox = openAs('one', 'marks', { limits: { ...limits, keptMs: 1_000 } });
    const states = async () => (await inbox.recent(2)).map(({ state }) => state);
    for (const identity of ['a', 'b']) await inbox.accept(delivery(identity));
    const [a, b] = await inbox.claim({ count: 2 });
    await inbox.giveUp(a?.id ?? '');
    await delay(700);
    await inbox.giveUp(b?.id ?? '');
    expect(await states()).toEqual(['given_up', 'given_up']);
    await until('the first is forgotten', async () => (await states())[1] === 'handled');
    expect(await states()).toEqual(['given_up', 'handled']);
  });

  describe('whose connection breaks while it claims', () => {
    const away = () => Promise.reject(new Error('away'));
    /** The client, with a command that fails. */
    const failing = (methods: object): typeof redis.client =>
      Object.assign(Object.create(redis.client) as typeof redis.client, methods);

    it('hands out the new entries that it has read, since they have cost a try', async () => {
      const inbox = openAs('one', 'broken', { redis: failing({ xpending: away }) });
      await inbox.accept(delivery('a'));
      expect(await inbox.claim({ count: 5 })).toMatchObject([{ body, tries: 1 }]);
    });

    it('hands out the overdue entries that it has claimed, since they have cost a try', async () => {
      const due = { limits: { ...limits, pauseMs: () => 0 } };
      const inbox = openAs('one', 'torn', due);
      for (const identity of ['a', 'b']) await inbox.accept(delivery(identity));
      const [lost] = await inbox.claim({ count: 2, newOnly: true });
      const call = (...args: string[]): Promise<unknown> =>
        args.at(-1) === lost?.id ? away() : redis.client.call(...(args as [string]));
      const torn = openAs('two', 'torn', { ...due, redis: failing({ call }) });
      expect(await torn.claim({ count: 2 })).toMatchObject([{ body, tries: 2 }]);
    });
  });

  it('drops a thousand handled entries piece by piece', async () => {
    const stream = 'webhook:stream:many';
    const inbox = openAs('one', 'many');
    const adding = redis.client.pipeline();
    for (let n = 0; n < 2_000; n += 1) adding.xadd(stream, '*', 'identity', `n${n}`);
    await adding.exec();
    const ids = (await inbox.claim({ count: 2_000 })).map(({ id }) => id);
    await redis.client.xack(stream, 'workers', ...ids);
    await inbox.trim();
    expect(await redis.client.xlen(stream)).toBe(1_000);
  });

  it('drops nothing that is still to be handled when another group reads the stream, too', async () => {
    const stream = 'webhook:stream:groups';
    const inbox = openAs('one', 'groups');
    await inbox.claim({ count: 1 });
    const adding = redis.client.pipeline();
    for (let n = 0; n < 1_100; n += 1) adding.xadd(stream, '*', 'identity', `n${n}`);
    await adding.exec();
    const others = ['another', 'yet another']; // have read it all; one comes before ours, one behind
    for (const name of others) await redis.client.xgroup('CREATE', stream, name, '$');
    await inbox.trim();
    expect(await redis.client.xlen(stream)).toBe(1_100);
    await inbox.claim({ count: 10 }); // under way
    await inbox.trim();
    expect(await redis.client.xlen(stream)).toBe(1_100);
  });

  it('drops handled entries, and no others, also when all are of one millisecond', async () => {
    const stream = 'webhook:stream:burst';
    const inbox = openAs('one', 'burst');
    const ms = Date.now();
    const adding = redis.client.pipeline();
    for (let n = 0; n < 2_000; n += 1) adding.xadd(stream, `${ms}-${n}`, 'identity', `n${n}`);
    await adding.exec();
    const ids = (await inbox.claim({ count: 2_000 })).map(({ id }) => id);
    await redis.client.xack(stream, 'workers', ...ids.slice(0, 500));
    await inbox.trim();
    expect(await redis.client.xlen(stream)).toBe(1_500);
    await redis.client.xack(stream, 'workers', ...ids.slice(500, 1_500));
    await inbox.trim();
    expect(await redis.client.xlen(stream)).toBe(1_000);
  });

  it('keeps what it cannot decrypt for a process that can', async () => {
    await openAs('one', 'keys').accept(delivery('a'));
    const stranger = openAs('two', 'keys', { cipher: createCipher([Buffer.alloc(32, 8)]) });
    expect(await stranger.claim({ count: 1 })).toMatchObject([{ body: undefined, tries: 1 }]);
    await delay(320);
    expect(await openAs('one', 'keys').claim({ count: 1 })).toMatchObject([{ body, tries: 2 }]);
  });

  it('finds what is due behind many entries whose pause is longer', async () => {
    const pauseMs = (tries: number): number => (tries === 1 ? 0 : 60_000);
    const inbox = openAs('one', 'starved', { limits: { ...limits, maxEntries: 1000, pauseMs } });
    for (let n = 0; n < 150; n += 1) await inbox.accept(delivery(`n${n}`));
    const first = await inbox.claim({ count: 150 });
    for (const { id } of first.slice(0, 140)) await redis.client.call('XCLAIM', 'webhook:stream:starved', 'workers', 'one', 0, id); // prettier-ignore
    expect((await inbox.claim({ count: 20 })).map(({ id }) => id)).toEqual(
      first.slice(140).map(({ id }) => id),
    );
  });

  it('forgets a delivery that it had no room for, so that the next one of it looks at few entries', async () => {
    const inbox = openAs('one', 'full', { limits: { ...limits, maxEntries: 1 } });
    await inbox.accept(delivery('a'));
    expect(await inbox.accept(delivery('b'))).toBe('full');
    expect(await redis.client.exists('webhook:seen:full:b')).toBe(0);
  });

  it('drops consumers of processes that are gone, and none that owes something', async () => {
    const inbox = openAs('one', 'consumers');
    await inbox.accept(delivery('a'));
    await inbox.claim({ count: 1 });
    await redis.client.call(
      'XGROUP',
      'CREATECONSUMER',
      'webhook:stream:consumers',
      'workers',
      'gone',
    );
    await delay(5);
    await openAs('one', 'consumers', { consumerGoneMs: 1 }).trim();
    expect(
      await redis.client.xinfo('CONSUMERS', 'webhook:stream:consumers', 'workers'),
    ).toHaveLength(1);
  });

  describe('with a value of another type under a key of its own', () => {
    const foreign: [string, (key: string) => Promise<unknown>][] = [
      ['a text', (key) => redis.client.set(key, 'null')],
      ['a hash', (key) => redis.client.hset(key, 'field', 'value')],
      ['a list', (key) => redis.client.rpush(key, 'value')],
    ];
    const events: AppEvent[] = [];
    const emit = (event: AppEvent): void => void events.push(event);
    const replaced = { type: 'record_replaced', record: 'webhook' };
    beforeEach(() => void events.splice(0));

    it.each(foreign)('(%s) drops it, says so, and takes events as before', async (name, put) => {
      const at = `foreign-${name.slice(2)}`;
      const inbox = openAs('one', at, { emit });
      await put(`webhook:stream:${at}`);
      expect(await inbox.accept(delivery('a'))).toBe('new');
      expect(events).toEqual([replaced]);
      expect(await inbox.claim({ count: 10 })).toMatchObject([{ body, tries: 1 }]);
      await redis.client.del(`webhook:stream:${at}`);
      await put(`webhook:stream:${at}`);
      expect(await inbox.recent(10)).toEqual([]);
      expect(events).toEqual([replaced, replaced]);
    });

    it('counts an event whose note of arrival is a hash as new, and shows one whose mark is a hash', async () => {
      const inbox = openAs('one', 'foreign-notes', { emit });
      await redis.client.hset('webhook:seen:foreign-notes:a', 'field', 'value');
      expect(await inbox.accept(delivery('a'))).toBe('new');
      expect(await inbox.accept(delivery('a'))).toBe('duplicate');
      const [{ id } = { id: '' }] = await inbox.claim({ count: 1 });
      await redis.client.hset(`webhook:given-up:foreign-notes:${id}`, 'field', 'value');
      expect(await inbox.recent(10)).toMatchObject([{ id, state: 'waiting' }]);
      expect(events).toEqual([replaced, replaced]);
    });

    it('tells of changes as before', async () => {
      const changes = createRedisChanges({
        redis: redis.client,
        endpoint: 'foreign',
        now: Date.now,
        emit,
      });
      await redis.client.hset('webhook:changes:foreign', 'field', 'value');
      const { last } = await changes.after(undefined);
      await changes.publish({ type: 'debt.updated', subject: 'd1' });
      expect((await changes.after(last)).changes).toMatchObject([{ subject: 'd1' }]);
      expect(events).toEqual([replaced]);
    });
  });

  it.each([
    ['9999999999999-0', 'of the year 2286'],
    ['9999999999999999-7', 'that a page may have'],
    ['18446744073709551615-18446744073709551615', 'after which none can be'],
  ])('tells of changes as before when somebody has added one with the id %s, %s', async (id) => {
    const endpoint = `ahead-${id}`;
    const stream = `webhook:changes:${endpoint}`;
    const events: AppEvent[] = [];
    const emit = (event: AppEvent): void => void events.push(event);
    const changes = createRedisChanges({ redis: redis.client, endpoint, now: Date.now, emit });
    const { last: before } = await changes.after(undefined);
    await redis.client.xadd(stream, id, 'some', 'value');
    const { last: atIt } = await changes.after(undefined); // a process that starts now
    expect(await changes.after(atIt)).toEqual({ changes: [], last: atIt });
    for (const subject of ['d1', 'd2']) await changes.publish({ type: 'debt.updated', subject });
    const told = [{ subject: 'd1' }, { subject: 'd2' }];
    expect((await changes.after(before)).changes).toMatchObject(told);
    const { changes: later, last } = await changes.after(atIt);
    expect(later).toMatchObject(told);
    expect(Math.abs(Number(last.split('-')[0]) - Date.now())).toBeLessThan(60_000);
    expect((await changes.after(last)).changes).toEqual([]);
    expect(events).toEqual([{ type: 'record_replaced', record: 'webhook' }]);
  });

  it('tells of changes also a process whose clock is two hours behind that of Redis', async () => {
    const now = (): number => Date.now() - 7_200_000;
    const changes = createRedisChanges({ redis: redis.client, endpoint: 'behind', now });
    await changes.publish({ type: 'debt.updated', subject: 'd1' });
    const { last } = await changes.after(undefined);
    await changes.publish({ type: 'debt.updated', subject: 'd2' });
    const told = await changes.after(last);
    expect(told.changes).toMatchObject([{ subject: 'd2' }]);
    expect(await changes.after(told.last)).toEqual({ changes: [], last: told.last });
  });

  it('tells of changes as before when Redis was emptied and its clock is set back', async () => {
    const stream = 'webhook:changes:set-back';
    const changes = createRedisChanges({
      redis: redis.client,
      endpoint: 'set-back',
      now: Date.now,
    });
    await changes.publish({ type: 'debt.updated', subject: 'd1' });
    const { last } = await changes.after(undefined);
    await redis.client.del(stream);
    const emptied = await changes.after(last);
    await redis.client.xadd(stream, `${Date.now() - 1_800_000}-0`, 'type', 'debt.updated', 'subject', 'd2'); // prettier-ignore
    expect((await changes.after(emptied.last)).changes).toMatchObject([{ subject: 'd2' }]);
  });

  it('is listed and handled by a process that was started while Redis is full', async () => {
    const one = openAs('one', 'full');
    await one.accept(delivery('a'));
    expect(await one.claim({ count: 1 })).toHaveLength(1); // makes the group
    await one.accept(delivery('b'));
    await redis.client.config('SET', 'maxmemory', '1');
    try {
      const two = openAs('two', 'full');
      expect(await openAs('list', 'empty').recent(10)).toEqual([]);
      const [claim] = await two.claim({ count: 1 });
      await two.done(claim?.id ?? '');
      await two.trim();
      expect((await two.recent(10)).map(({ state }) => state)).toEqual(['handled', 'waiting']);
    } finally {
      await redis.client.config('SET', 'maxmemory', '0');
    }
  });

  it('holds no readable body', async () => {
    const [inbox] = adapters[1]?.[1]() ?? [];
    await inbox?.accept({
      identity: 'secret',
      type: 'debt.updated',
      body: '{"data":{"name":"CANARY"}}',
    });
    const streams = await redis.client.keys('webhook:stream:*');
    for (const stream of streams)
      expect(JSON.stringify(await redis.client.xrange(stream, '-', '+'))).not.toContain('CANARY');
  });
});

/// <reference types="jest" />
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { parseConfig } from '../../src/config/config.js';
import { createCipher } from '../../src/core/storage/cipher.js';
import { connectStorage } from '../../src/redis/connect.js';
import { createRedisChanges } from '../../src/webhooks/changes.js';
import { defaultLimits } from '../../src/webhooks/inbox.js';
import { createRedisInbox } from '../../src/webhooks/redis-inbox.js';
import { until } from '../support/until.js';
import { startNode, type RedisNode } from '../soak/support/redis-node.js';
import { startSentinel, startSingle, type Topology } from '../soak/support/topologies.js';
import { startForwarder } from '../support/forwarder.js';
import { freePort } from '../support/free-port.js';
import { KEY_PREFIX } from '../support/redis-server.js';
import {
  SESSION_SECRET,
  startTestApp,
  TOKEN_ENCRYPTION_KEY,
  type TestApp,
} from '../support/test-app.js';

jest.setTimeout(30_000);

const toClose: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

async function closing<T extends { close(): Promise<unknown> }>(starting: Promise<T>): Promise<T> {
  const started = await starting;
  toClose.push(() => started.close());
  return started;
}
async function node(settings: string[] = []): Promise<RedisNode> {
  const started = await startNode(['save ""', ...settings]);
  toClose.push(() => started.kill());
  return started;
}
const appWith = (env: Record<string, string>): Promise<TestApp> => closing(startTestApp({ env }));

const statusOf = async (app: TestApp, path: string): Promise<number> =>
  (await app.browser().get(path)).status;
const untilReady = (app: TestApp, ready = 200): Promise<void> =>
  until(`/readyz is ${ready}`, async () => (await statusOf(app, '/readyz')) === ready);
/** What a start with this environment says. */
async function problemOf(env: Record<string, string>): Promise<string> {
  const { redis } = parseConfig({
    GETBILL_CLIENT_ID: 'client',
    GETBILL_CLIENT_SECRET: 'client-secret',
    SESSION_SECRET,
    TOKEN_ENCRYPTION_KEY,
    ...env,
  });
  try {
    const keyValue = await connectStorage(redis, {
      emit: () => undefined,
      now: Date.now,
      onError: () => undefined,
    });
    await keyValue.close();
    return 'connected';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('one URL that hides a failover', () => {
  it('is connected anew when the old master has become a replica and keeps its connections', async () => {
    const [old, next] = [await node(), await node()];
    let master = old;
    const forwarder = await closing(startForwarder({ to: () => master.port }));
    const app = await appWith({ REDIS_URL: `redis://127.0.0.1:${forwarder.port}` });
    await app.browser().signIn();
    await old.client.replicaof('127.0.0.1', next.port);
    master = next;
    await untilReady(app);
    await app.browser().signIn();
    expect(forwarder.accepted()).toBe(2);
  });

  it('is not ready while it leads to a replica, and is not connected to without end', async () => {
    const [master, replica] = [await node(), await node()];
    await replica.client.replicaof('127.0.0.1', master.port);
    const forwarder = await closing(startForwarder({ to: () => replica.port }));
    const app = await appWith({ REDIS_URL: `redis://127.0.0.1:${forwarder.port}` });
    for (let times = 0; times < 20; times += 1) expect(await statusOf(app, '/readyz')).toBe(503);
    expect(await statusOf(app, '/login')).toBe(503);
    expect(forwarder.accepted()).toBeLessThan(5);
  });

  it('is not ready while its data is read from disk, and ready by itself afterwards', async () => {
    const slow = [
      'key-load-delay 3000',
      'loading-process-events-interval-bytes 1024',
      'enable-debug-command yes',
    ];
    const loading = await node(slow);
    const app = await appWith({ REDIS_URL: `redis://127.0.0.1:${loading.port}` });
    await loading.client.call('DEBUG', 'POPULATE', 300);
    await untilReady(app);
    const reloaded = loading.client.call('DEBUG', 'RELOAD');
    await untilReady(app, 503);
    expect(await statusOf(app, '/login')).toBe(503);
    await reloaded;
    await untilReady(app);
    await app.browser().signIn();
  });
});

describe.each<[string, () => Promise<Topology>, string]>([
  ['one node', startSingle, 'REDIS_URL'],
  ['Sentinel', startSentinel, 'REDIS_SENTINELS'],
])('%s', (_name, start, variable) => {
  it('that is away at the start is a message that names the setting, and no process that hangs', async () => {
    const redis = await start();
    await redis.close();
    const problem = await problemOf(redis.env);
    expect(problem).toMatch(/ECONNREFUSED|closed/);
    expect(problem).toContain(`(${variable}, ECONNREFUSED)`);
  });

  it('gets the password that its file holds at each connection', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gb-password-'));
    toClose.push(async () => Promise.resolve(rmSync(folder, { recursive: true })));
    const file = join(folder, 'password');
    const redis = await closing(start());
    const change = async (password: string): Promise<void> => {
      writeFileSync(file, `${password}\n`);
      for (const { client } of redis.masters) {
        await client.config('SET', 'requirepass', password);
        await client.call('AUTH', password);
        await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      }
    };
    await change('first');
    const app = await appWith({ ...redis.env, REDIS_PASSWORD_FILE: file });
    const person = app.browser();
    await person.signIn();
    for (const password of ['second', 'third']) {
      await change(password);
      await untilReady(app);
      expect((await person.get('/dashboard')).status).toBe(200);
    }
  });
});

it('a command that Redis does not know is a line of the log with its name, and without the key and the value', async () => {
  const redis = await node(['rename-command SET ""']);
  const app = await appWith({ REDIS_URL: `redis://127.0.0.1:${redis.port}` });
  expect(await statusOf(app, '/login')).toBe(503);
  expect(app.logged()).toContain("ERR unknown command 'set'");
  expect(app.logged()).not.toContain(':login:');
});

describe('a Redis that answers with an error', () => {
  it('at the start is a message with its cause and fix, and no question whether it is running', async () => {
    const redis = await node(['requirepass the-right-one']);
    const place = `redis://127.0.0.1:${redis.port}`;
    expect(await problemOf({ REDIS_URL: place })).toMatch(
      /^Redis wants a password and was sent none \(redis:.*NOAUTH .*\); put the right ones into REDIS_URL/,
    );
    const wrong = await problemOf({ REDIS_URL: place, REDIS_PASSWORD: 'CANARY-wrong' });
    expect(wrong).toMatch(/^Redis refuses our name or password .*into REDIS_PASSWORD/);
    expect(wrong).not.toContain('CANARY');
  });

  it('is not ready, and the log has its words', async () => {
    const redis = await node(['user default on nopass ~* &* +@all -getdel']);
    const app = await appWith({ REDIS_URL: `redis://127.0.0.1:${redis.port}` });
    expect(await statusOf(app, '/readyz')).toBe(503);
    expect(app.events).toContainEqual({
      type: 'storage_failed',
      operation: 'ping',
      reason: expect.stringMatching(/^NOPERM .*'getdel' command/) as string,
    });
  });
});

describe('the database that REDIS_URL names', () => {
  it('is used or nothing: a number that Redis does not have ends the start, and nothing is written elsewhere', async () => {
    const redis = await node(['databases 4']);
    const problem = await problemOf({ REDIS_URL: `redis://127.0.0.1:${redis.port}/4` });
    expect(problem).toContain('database 4 cannot be used (ERR DB index is out of range)');
    expect(await problemOf({ REDIS_URL: `redis://127.0.0.1:${redis.port}/3` })).toBe('connected');
  });

  it('is never left for another one by a user who may not select it any more, nor when it is connected anew', async () => {
    const redis = await node();
    const setUser = (...rights: string[]) => redis.client.acl('SETUSER', 'getbill', ...rights);
    await setUser('on', '>password', '~*', '+@all');
    const app = await appWith({ REDIS_URL: `redis://getbill:password@127.0.0.1:${redis.port}/2` });
    const person = app.browser();
    await person.signIn();
    await setUser('-select');
    await redis.client.call('CLIENT', 'KILL', 'USER', 'getbill');
    await untilReady(app, 503);
    expect((await person.get('/dashboard')).status).toBe(503);
    await setUser('+select');
    await untilReady(app);
    expect((await person.get('/dashboard')).status).toBe(200);
    expect(await redis.client.dbsize()).toBe(0);
  });
});

describe('Sentinels', () => {
  const own = ['requirepass of-the-sentinels', 'user watcher on >its-own ~* &* +@all'];

  it.each<[string, Record<string, string>]>([
    ['a password', { REDIS_SENTINEL_PASSWORD: 'of-the-sentinels' }],
    [
      'a user and a password',
      { REDIS_SENTINEL_USERNAME: 'watcher', REDIS_SENTINEL_PASSWORD: 'its-own' },
    ],
  ])('may have %s of their own', async (_what, credentials) => {
    const redis = await closing(startSentinel(['requirepass of-redis'], [...own, 'sentinel auth-pass mymaster of-redis'])); // prettier-ignore
    const url = redis.env['REDIS_SENTINELS']?.replace('redis://', 'redis://:of-redis@') ?? '';
    const app = await appWith({ REDIS_SENTINELS: url, ...credentials });
    await app.browser().signIn();
    expect(await problemOf({ REDIS_SENTINELS: url })).toContain('WRONGPASS');
  });

  it('get the user of their URL', async () => {
    const user = 'user app on >shared ~* &* +@all';
    const redis = await closing(startSentinel([user], ['requirepass of-the-sentinels', user]));
    const url = redis.env['REDIS_SENTINELS']?.replace('redis://', 'redis://app:shared@') ?? '';
    await (await appWith({ REDIS_SENTINELS: url })).browser().signIn();
  });

  it('that do not know the master are a message', async () => {
    const { env } = await closing(startSentinel());
    expect(await problemOf({ ...env, REDIS_SENTINEL_NAME: 'nobody' })).toContain('REDIS_SENTINELS');
  });

  it('that come back after all were gone are found again', async () => {
    const port = await freePort();
    const master = await node();
    const sentinel = (): Promise<RedisNode> =>
      startNode([`sentinel monitor mymaster 127.0.0.1 ${master.port} 1`], { sentinel: true, port });
    const first = await sentinel();
    const app = await appWith({ REDIS_SENTINELS: `redis://127.0.0.1:${port}` });
    await untilReady(app);
    await first.kill();
    await master.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await untilReady(app, 503);
    const second = await sentinel();
    toClose.push(() => second.kill());
    await untilReady(app);
    await app.browser().signIn();
  });
});

describe('the keys', () => {
  it('begin with the prefix and the client, every one, whatever somebody does', async () => {
    const redis = await closing(startSingle());
    const app = await appWith({ ...redis.env, REDIS_PREFIX: 'my/app:' });
    const person = app.browser();
    await person.signIn();
    app.sandbox.control.expireAccessTokens();
    expect((await person.get('/dashboard')).status).toBe(200);
    expect((await person.get('/api/debts')).status).toBe(200);
    await app.browser().startLogin();
    await untilReady(app);
    const keys = (await redis.masters[0]?.client.keys('*')) ?? [];
    const ours = KEY_PREFIX.replace('getbill:', 'my/app:');
    expect(keys.length).toBeGreaterThan(5);
    expect(keys.filter((key) => !key.startsWith(ours))).toEqual([]);
  });

  it('of two clients do not meet: one that may not call GetBill stops nobody else', async () => {
    const redis = await closing(startSingle());
    const one = await appWith(redis.env);
    const [mine, theirs] = [one.browser(), one.browser()];
    await mine.signIn();
    const other = await appWith({ ...redis.env, GETBILL_CLIENT_ID: 'another-client', GETBILL_CLIENT_SECRET: 'another-secret-0123456789' }); // prettier-ignore
    await theirs.signIn();
    await other.services.keyValue.set('quota:read', JSON.stringify({ blockedUntilMs: Date.now() + 1_800_000 }), { ttlMs: 1_800_000 }); // prettier-ignore
    expect(await one.services.keyValue.get('quota:read')).toBeUndefined();
    expect((await mine.get('/api/debts')).status).toBe(200);
  });
});

describe('the least rights in docs/operations.md', () => {
  it('are enough for everything the app does, and without any of them it is not ready', async () => {
    const [, line = ''] = /^ACL SETUSER getbill on >password (.*)$/m.exec(readFileSync('docs/operations.md', 'utf8')) ?? []; // prettier-ignore
    const rights = line.split(' ');
    const redis = await closing(startSingle());
    const [master] = redis.masters;
    await master?.client.acl('SETUSER', 'getbill', 'on', '>password', ...rights);
    const url = redis.env['REDIS_URL']?.replace('redis://', 'redis://getbill:password@') ?? '';
    const app = await appWith({ REDIS_URL: url });
    const person = app.browser();
    await person.signIn();
    app.sandbox.control.expireAccessTokens();
    for (const path of [
      '/dashboard',
      '/debts',
      '/api/debts',
      '/connection',
      '/session',
      '/readyz',
    ]) {
      expect([path, (await person.get(path)).status]).toEqual([path, 200]);
    }
    expect((await person.signOut()).status).toBe(303);
    expect(
      app.events.filter(({ type }) => type === 'storage_failed' || type === 'session_touch_failed'),
    ).toEqual([]);

    const forOthers = ['+info', '+cluster|slots', '+cluster|info'];
    for (const right of rights.filter(
      (each) => each.startsWith('+') && !forOthers.includes(each),
    )) {
      await master?.client.acl('SETUSER', 'getbill', right.replace('+', '-'));
      expect([right, await statusOf(app, '/readyz')]).toEqual([right, 503]);
      await master?.client.acl('SETUSER', 'getbill', right);
    }
  });

  it('are enough for webhooks with those that webhooks need besides, and each of them is needed', async () => {
    const text = readFileSync('docs/operations.md', 'utf8');
    const [, line = ''] = /^ACL SETUSER getbill on >password (.*)$/m.exec(text) ?? [];
    const [, more = ''] = /^Webhooks need `([^`]+)` besides/m.exec(text) ?? [];
    const redis = await closing(startSingle());
    const [master] = redis.masters;
    const setUser = (...rights: string[]) => master?.client.acl('SETUSER', 'getbill', ...rights);
    await setUser('on', '>password', ...line.split(' '), ...more.split(' '));
    const client = new Redis(
      redis.env['REDIS_URL']?.replace('redis://', 'redis://getbill:password@') ?? '',
      { keyPrefix: 'getbill:acl:', enableReadyCheck: false },
    );
    const cipher = createCipher([Buffer.alloc(32, 7)]);
    let number = 0;
    /** Everything that an inbox and its changes do. */
    const useAll = async (): Promise<void> => {
      const endpoint = `e${++number}`;
      const limits = { ...defaultLimits, maxEntries: 2, pauseMs: () => 0 };
      const options = { redis: client, cipher, endpoint, limits, replicas: 0, consumerGoneMs: 0 };
      const [one, two] = ['one', 'two'].map((consumer) => createRedisInbox({ ...options, consumer })); // prettier-ignore
      const changes = createRedisChanges({ redis: client, endpoint, now: Date.now });
      const event = { type: 'debt.updated', body: '{"type":"debt.updated","data":{}}' };
      for (const identity of ['a', 'b', 'c']) await one?.accept({ identity, ...event });
      const [first] = (await one?.claim({ count: 1 })) ?? [];
      const id = first?.id ?? '';
      await one?.keep(id);
      const [again] = (await two?.claim({ count: 2 })) ?? [];
      await two?.giveUp(again?.id ?? '');
      await one?.done(id);
      await one?.again(id);
      await one?.recent(10);
      await one?.trim();
      await changes.publish({ type: 'debt.updated', subject: 'd1' });
      await changes.after((await changes.after(undefined)).last);
    };
    const outcomeOf = (use: Promise<void>): Promise<string> => use.then(() => 'enough', () => 'refused'); // prettier-ignore
    try {
      await useAll();
      for (const right of more.split(' ')) {
        await setUser(right.replace('+', '-'));
        expect([right, await outcomeOf(useAll())]).toEqual([right, 'refused']); // prettier-ignore
        await setUser(right);
      }
    } finally {
      client.disconnect();
    }
  });
});

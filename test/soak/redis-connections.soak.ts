import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox } from '../../sandbox/sandbox.js';
import { healthy, runDoctor } from '../cli/support/run-doctor.js';
import { parseConfig } from '../../src/config/config.js';
import { connectStorage } from '../../src/redis/connect.js';
import { until } from '../support/until.js';
import type { Browser } from '../support/browser.js';
import { startRedis } from '../support/redis-server.js';
import {
  SESSION_SECRET,
  startTestApp,
  TOKEN_ENCRYPTION_KEY,
  type TestApp,
} from '../support/test-app.js';
import { startCluster, startSentinel, startSingle, type Topology } from './support/topologies.js';

jest.setTimeout(120_000);

const topologies: [string, (settings?: string[]) => Promise<Topology>][] = [
  ['one node', startSingle],
  ['Sentinel', startSentinel],
  ['Cluster', startCluster],
];

const statusOf = async (browser: Browser, path: string): Promise<number> =>
  (await browser.get(path)).status;

/** Whether the balancer is told to send people here, and what becomes of one who comes. */
async function seen(app: TestApp): Promise<{ ready: number; signIn: number }> {
  const [ready, signIn] = await Promise.all([
    statusOf(app.browser(), '/readyz'),
    statusOf(app.browser(), '/login'),
  ]);
  return { ready, signIn };
}
const untilReady = (app: TestApp, ready: number, withinMs: number): Promise<void> =>
  until(`/readyz is ${ready}`, async () => (await statusOf(app.browser(), '/readyz')) === ready, {
    withinMs,
  });

describe.each(topologies)('with %s', (name, start) => {
  let redis: Topology;
  let app: TestApp;
  beforeEach(async () => {
    redis = await start(['maxmemory-policy noeviction', 'cluster-require-full-coverage no'].slice(0, name === 'Cluster' ? 2 : 1)); // prettier-ignore
    app = await startTestApp({ env: redis.env });
  });
  afterEach(async () => {
    await app.close();
    await redis.close();
  });
  const onEvery = (
    act: (node: Topology['masters'][number]) => Promise<unknown>,
  ): Promise<unknown> => Promise.all(redis.masters.map(act));

  it('a connection whose packets are dropped is given up: 503 for seconds, then a new one', async () => {
    const person = app.browser();
    await person.signIn();
    expect(await seen(app)).toEqual({ ready: 200, signIn: 302 });
    for (const forwarder of redis.forwarders) forwarder.silence();
    expect(await seen(app)).toEqual({ ready: 503, signIn: 503 });
    await untilReady(app, 200, 8_000);
    expect(await statusOf(person, '/dashboard')).toBe(200);
    await app.browser().signIn();
  });

  it('a connection that nobody uses is kept', async () => {
    await untilReady(app, 200, 1_000);
    const before = redis.forwarders.map((forwarder) => forwarder.accepted());
    await new Promise((resolve) => setTimeout(resolve, 4_000)); // twice the deadline of a silent one
    await untilReady(app, 200, 1_000);
    expect(redis.forwarders.map((forwarder) => forwarder.accepted())).toEqual(before);
  });

  const outOfOrder: [string, () => Promise<unknown>, () => Promise<unknown>][] = [
    [
      'that is frozen',
      () => onEvery(async (node) => Promise.resolve(node.signal('SIGSTOP'))),
      () => onEvery(async (node) => Promise.resolve(node.signal('SIGCONT'))),
    ],
    [
      'that is out of memory',
      () => onEvery(({ client }) => client.config('SET', 'maxmemory', '1')),
      () => onEvery(({ client }) => client.config('SET', 'maxmemory', '0')),
    ],
    [
      'that cannot write its disk',
      () => onEvery(({ client }) => client.config('SET', 'min-replicas-to-write', '1')),
      () => onEvery(({ client }) => client.config('SET', 'min-replicas-to-write', '0')),
    ],
    [
      'that has another password',
      () =>
        onEvery(async ({ client }) => {
          await client.config('SET', 'requirepass', 'changed');
          await client.call('AUTH', 'changed');
          await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        }),
      () => onEvery(({ client }) => client.config('SET', 'requirepass', '')),
    ],
    [
      'that allows no script',
      () => onEvery(({ client }) => client.acl('SETUSER', 'default', '-eval')),
      () => onEvery(({ client }) => client.acl('SETUSER', 'default', '+eval')),
    ],
    [
      'that allows no write',
      () => onEvery(({ client }) => client.acl('SETUSER', 'default', '-set')),
      () => onEvery(({ client }) => client.acl('SETUSER', 'default', '+set')),
    ],
  ];
  it.each(outOfOrder)(
    'a Redis %s is not ready, and ready again by itself',
    async (_what, spoil, mend) => {
      await untilReady(app, 200, 1_000);
      await spoil();
      await untilReady(app, 503, 2_000);
      expect(await seen(app)).toEqual({ ready: 503, signIn: 503 });
      await mend();
      await untilReady(app, 200, 20_000);
      await app.browser().signIn();
    },
  );

  it('a password that its file holds is read at each connection', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gb-password-'));
    const file = join(folder, 'password');
    const change = async (password: string): Promise<void> => {
      writeFileSync(file, password);
      await onEvery(async ({ client }) => {
        await client.config('SET', 'requirepass', password);
        await client.call('AUTH', password);
        await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      });
    };
    await change('first');
    const own = await startTestApp({ env: { ...redis.env, REDIS_PASSWORD_FILE: file } });
    try {
      await untilReady(own, 200, 5_000);
      await change('second');
      await untilReady(own, 200, 20_000);
      await own.browser().signIn();
    } finally {
      await own.close();
      rmSync(folder, { recursive: true });
    }
  });

  it('a Redis that accepts connections and never responds is a start that ends with a message', async () => {
    await onEvery(async (node) => Promise.resolve(node.signal('SIGSTOP')));
    for (const sentinel of redis.sentinels) sentinel.signal('SIGSTOP');
    const { redis: config } = parseConfig({
      GETBILL_CLIENT_ID: 'client',
      GETBILL_CLIENT_SECRET: 'client-secret',
      SESSION_SECRET,
      TOKEN_ENCRYPTION_KEY,
      ...redis.env,
    });
    const events = { emit: () => undefined, now: Date.now, onError: () => undefined };
    await expect(connectStorage(config, events)).rejects.toThrow(Object.keys(redis.env)[0]);
  });

  it('a Redis that has stopped is not ready', async () => {
    await onEvery((node) => node.kill());
    await untilReady(app, 503, 2_000);
    expect(await seen(app)).toEqual({ ready: 503, signIn: 503 });
  });
});

describe('a unix socket', () => {
  it('whose Redis is frozen is not ready, and ready again by itself', async () => {
    const redis = await startRedis();
    const app = await startTestApp({ env: { REDIS_URL: redis.url } });
    await untilReady(app, 200, 1_000);
    redis.pause();
    await untilReady(app, 503, 2_000);
    await new Promise((resolve) => setTimeout(resolve, 4_000)); // the connection has been given up meanwhile
    redis.resume();
    await untilReady(app, 200, 5_000);
    await app.browser().signIn();
    await app.close();
    await redis.close();
  });
});

describe('a Cluster', () => {
  it('without one of its masters is not ready, although the other slots are served', async () => {
    const redis = await startCluster(['cluster-require-full-coverage no']);
    const app = await startTestApp({ env: redis.env });
    await untilReady(app, 200, 1_000);
    await redis.masters[1]?.kill();
    await untilReady(app, 503, 2_000);
    for (let times = 0; times < 3; times += 1)
      expect(await statusOf(app.browser(), '/readyz')).toBe(503);
    await app.close();
    await redis.close();
  });

  it('of which REDIS_URL names one node is refused at the start, and by the doctor, by name', async () => {
    const redis = await startCluster();
    const sandbox = await startSandbox();
    const [url = ''] = redis.env['REDIS_CLUSTER_NODES']?.split(',') ?? [];
    await expect(startTestApp({ sandbox, env: { REDIS_URL: url } })).rejects.toThrow(
      'is one node of a Cluster: name it in REDIS_CLUSTER_NODES instead of REDIS_URL',
    );
    const { line } = await runDoctor({ ...healthy(sandbox), REDIS_URL: url });
    expect(line('Redis')?.cause).toMatch(/names one node of a Cluster.*\(CLUSTER_NODE\)/);
    await Promise.all([sandbox.close(), redis.close()]);
  });

  it('with a slot that belongs to nobody is not ready', async () => {
    const redis = await startCluster(['cluster-require-full-coverage no']);
    const app = await startTestApp({ env: redis.env });
    await untilReady(app, 200, 1_000);
    for (const { client } of redis.masters) await client.call('CLUSTER', 'DELSLOTS', 42);
    await untilReady(app, 503, 2_000);
    await app.close();
    await redis.close();
  });
});

import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import { parseConfig } from '../../src/config/config.js';
import { createCipher } from '../../src/core/storage/cipher.js';
import { readRedisInfo } from '../../src/cli/doctor/redis-info.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';
import { announceSecret } from '../../src/redis/secret-check.js';
import { createRedisKeyValue } from '../../src/core/storage/redis.js';
import { startNode } from '../soak/support/redis-node.js';
import { runDoctor, healthy, type Env } from './support/run-doctor.js';

let sandbox: Sandbox;
let redis: RedisServer;
let replica: RedisServer;
beforeAll(async () => {
  [sandbox, redis, replica] = await Promise.all([startSandbox(), startRedis(), startRedis()]);
});
afterAll(() => Promise.all([sandbox.close(), redis.close(), replica.close()]));

const using = (url: string): Env => ({ ...healthy(sandbox), REDIS_URL: url });

interface Fault {
  plant: () => Promise<string>;
  line: string;
  verdict: 'warn' | 'fail';
  cause: RegExp;
  fix: RegExp;
  cure: () => Promise<string>;
}

const faults: Record<string, Fault> = {
  'Redis evicting': {
    async plant() {
      await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
      return redis.url;
    },
    line: 'Redis eviction',
    verdict: 'warn',
    cause: /maxmemory-policy is allkeys-lru: .*throws sessions and tokens away/,
    fix: /redis-cli CONFIG SET maxmemory-policy noeviction/,
    async cure() {
      await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
      return redis.url;
    },
  },
  'a read-only replica': {
    async plant() {
      await replica.client.config('SET', 'requirepass', '');
      await replica.client.replicaof('127.0.0.1', 1);
      return replica.url;
    },
    line: 'Redis role',
    verdict: 'fail',
    cause: /read-only replica/,
    fix: /let REDIS_URL name the primary/,
    cure: () => Promise.resolve(redis.url),
  },
  'Redis without persistence': {
    async plant() {
      await redis.client.config('SET', 'appendonly', 'no');
      return redis.url;
    },
    line: 'Redis persistence',
    verdict: 'warn',
    cause: /keeps nothing on disk: .*invalid_grant/,
    fix: /redis-cli CONFIG SET appendonly yes/,
    async cure() {
      await redis.client.config('SET', 'appendonly', 'yes');
      return redis.url;
    },
  },
  'a wrong Redis password': {
    async plant() {
      await replica.client.config('SET', 'requirepass', 'the-right-one');
      return replica.url.replace('unix://', 'unix://:CANARY-wrong@localhost');
    },
    line: 'Redis',
    verdict: 'fail',
    cause: /Redis refuses our name or password \(WRONGPASS\)/,
    fix: /put the right ones into REDIS_URL/,
    cure: () => Promise.resolve(replica.url.replace('unix://', 'unix://:the-right-one@localhost')),
  },
  'a Redis user who may not ask': {
    async plant() {
      await redis.client.call(
        'ACL',
        'SETUSER',
        'app',
        'on',
        '>the-right-one',
        '~*',
        '+@all',
        '-info',
      );
      return redis.url.replace('unix://', 'unix://app:the-right-one@localhost');
    },
    line: 'Redis version',
    verdict: 'warn',
    cause: /may not use INFO/,
    fix: /ACL SETUSER name \+info/,
    async cure() {
      await redis.client.call('ACL', 'SETUSER', 'app', '+info');
      return redis.url.replace('unix://', 'unix://app:the-right-one@localhost');
    },
  },
  'a Redis user who may only read': {
    async plant() {
      await redis.client.call(
        'ACL',
        'SETUSER',
        'reader',
        'on',
        '>the-right-one',
        '~*',
        '+@read',
        '+info',
        '+config',
        '+hello',
        '+ping',
      );
      return redis.url.replace('unix://', 'unix://reader:the-right-one@localhost');
    },
    line: 'Redis commands',
    verdict: 'fail',
    cause: /may not run the commands of the app \(NOPERM\)/,
    fix: /\+@read \+@write \+@scripting/,
    async cure() {
      await redis.client.call('ACL', 'SETUSER', 'reader', '+@read', '+@write', '+@scripting');
      return redis.url.replace('unix://', 'unix://reader:the-right-one@localhost');
    },
  },
  'a full Redis': {
    async plant() {
      await redis.client.config('SET', 'maxmemory', '1');
      return redis.url;
    },
    line: 'Redis commands',
    verdict: 'fail',
    cause: /Redis is full \(OOM/,
    fix: /redis-cli CONFIG SET maxmemory/,
    async cure() {
      await redis.client.config('SET', 'maxmemory', '0');
      return redis.url;
    },
  },
  'no Redis where REDIS_URL points': {
    plant: () => Promise.resolve('redis://127.0.0.1:1'),
    line: 'Redis',
    verdict: 'fail',
    cause: /nothing listens where REDIS_URL points \(ECONNREFUSED\)/,
    fix: /correct host and port in REDIS_URL/,
    cure: () => Promise.resolve(redis.url),
  },
};

describe('the doctor, of Redis', () => {
  it('passes a sound one in every line, and leaves nothing in it', async () => {
    const { findings } = await runDoctor(using(redis.url));
    expect(findings.map(({ verdict }) => verdict)).toEqual(Array(findings.length).fill('pass'));
    expect(findings.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Redis', 'Redis version', 'Redis role', 'Redis eviction', 'Redis persistence', 'Redis latency']) as string[],
    ); // prettier-ignore
    expect(await redis.client.dbsize()).toBe(0);
  });

  it.each(Object.entries(faults))(
    'names the cause, and a fix that works: %s',
    async (_name, { plant, cure, ...fault }) => {
      const found = (await runDoctor(using(await plant()))).line(fault.line);
      expect(found?.verdict).toBe(fault.verdict);
      expect(found?.cause).toMatch(fault.cause);
      expect(found?.fix).toMatch(fault.fix);
      expect((await runDoctor(using(await cure()))).line(fault.line)?.verdict).toBe('pass');
    },
  );

  it('names a key that does not open the records which are there', async () => {
    const written = createCipher([randomBytes(32)]).encrypt('a record', 'its context');
    const { keyPrefix } = parseConfig(using(redis.url)).redis ?? {};
    await redis.client.set(`${keyPrefix}token:1`, JSON.stringify({ sealed: written }));
    const found = (await runDoctor(using(redis.url))).line('Redis records');
    expect(found?.verdict).toBe('fail');
    expect(found?.cause).toMatch(
      /1 of 1 records were encrypted with a key that TOKEN_ENCRYPTION_KEY does not hold/,
    );

    const [key = ''] = [using(redis.url)['TOKEN_ENCRYPTION_KEY']];
    const ours = createCipher([Buffer.from(key, 'base64')]).encrypt('a record', 'its context');
    await redis.client.set(`${keyPrefix}token:1`, JSON.stringify({ sealed: ours }));
    expect((await runDoctor(using(redis.url))).line('Redis records')?.verdict).toBe('pass');
    await redis.client.flushall();
  });

  it('looks at GetBill all the same when Redis is away', async () => {
    const { failed, line, leftOut } = await runDoctor(using('redis://127.0.0.1:1'));
    expect(failed()).toEqual(['Redis']);
    expect(line('client credentials')?.verdict).toBe('pass');
    expect(leftOut).toContain('Redis eviction');
  });
});

describe('the doctor, of SESSION_SECRET', () => {
  const [here, elsewhere] = [
    'CANARY-session-secret-0123456789abcdef',
    'another-session-secret-0123456789abcdef',
  ];
  const announced: (() => void)[] = [];
  afterEach(async () => {
    for (const end of announced.splice(0)) end();
    await redis.client.flushall();
  });

  /** What a process of the app does at its start. */
  async function start(...secrets: string[]): Promise<number> {
    let told = 0;
    const keyValue = createRedisKeyValue({ redis: redis.client, emit: () => undefined });
    announced.push(await announceSecret(keyValue, { secrets, onDiffering: () => (told += 1) }));
    return told;
  }

  it('passes when every process has the one of the environment', async () => {
    expect([await start(here), await start(here)]).toEqual([0, 0]);
    expect((await runDoctor(using(redis.url))).line('session secret')?.verdict).toBe('pass');
    const stored = await redis.dump();
    expect(stored).not.toContain(here);
    expect(stored).not.toContain(Buffer.from(here).toString('base64'));
  });

  it('fails when two processes have different ones, whichever of them is looked at last', async () => {
    expect([await start(elsewhere), await start(here)]).toEqual([0, 1]);
    const { line, failed } = await runDoctor(using(redis.url));
    expect(failed()).toEqual(['session secret']);
    expect(line('session secret')).toMatchObject({
      cause: expect.stringContaining('two processes use different SESSION_SECRETs') as string,
      fix: expect.stringContaining('give every process the same SESSION_SECRET') as string,
    });
  });

  it('fails when the one of the environment is not that of the running process', async () => {
    await start(elsewhere);
    expect((await runDoctor(using(redis.url))).line('session secret')?.cause).toContain(
      'not the one that the running',
    );
  });

  it('says nothing of it where something else is under its keys', async () => {
    const { keyPrefix = '' } = parseConfig(using(redis.url)).redis ?? {};
    for (const name of ['secret-check', 'secrets-differ'])
      await redis.raw.hset(keyPrefix + name, 'field', 'value');
    const { failed, line } = await runDoctor(using(redis.url));
    expect([failed(), line('session secret')]).toEqual([[], undefined]);
  });

  it('passes while it is being rotated: new,old beside old', async () => {
    expect([await start(elsewhere), await start(here, elsewhere)]).toEqual([0, 0]);
    expect((await runDoctor(using(redis.url))).line('session secret')?.verdict).toBe('pass');
  });
});

it('the doctor names a database that Redis does not have', async () => {
  const node = await startNode(['databases 4', 'appendonly yes']);
  try {
    const url = `redis://127.0.0.1:${node.port}`;
    const found = (await runDoctor(using(`${url}/4`))).line('Redis');
    expect(found).toMatchObject({
      verdict: 'fail',
      cause: 'Redis does not let us use the database that REDIS_URL names (NO_DATABASE)',
      fix: expect.stringContaining('correct the number at the end of REDIS_URL') as string,
    });
    expect((await runDoctor(using(`${url}/3`))).line('Redis')?.verdict).toBe('pass');
  } finally {
    await node.kill();
  }
});

describe('a reply that is an error', () => {
  const findings = async (url: string) =>
    (await runDoctor(using(url))).findings.filter(
      ({ name, verdict }) => name.startsWith('Redis') && verdict !== 'pass',
    );
  const failure = (name: string, cause: string, fix: RegExp) => [
    { name, verdict: 'fail', cause, fix: expect.stringMatching(fix) as string },
  ];

  it.each([
    [
      'a command that has another name',
      ['rename-command GETDEL hidden'],
      /rename-command .*Redis says: ERR unknown command 'getdel'$/,
      'Redis does not know a command of the app: it has another name there, or is too new (ERR unknown command)',
      'Redis commands',
    ],
    [
      'a right that is missing for one command',
      ['user default on nopass ~* &* +@all -getdel'],
      /ACL SETUSER .*Redis says: NOPERM .*'getdel' command$/,
      'this Redis user may not run the commands of the app (NOPERM)',
      'Redis commands',
    ],
    [
      'a right that is missing in a script',
      ['user default on nopass ~* &* +@all -incrby'],
      /ACL SETUSER .*Redis says: ERR /,
      'this Redis user may not run the commands of the app (NOPERM)',
      'Redis commands',
    ],
    [
      'too few replicas',
      ['min-replicas-to-write 1'],
      /lower min-replicas-to-write/,
      'Redis takes no writes because fewer replicas follow than min-replicas-to-write says (NOREPLICAS)',
      'Redis commands',
    ],
    [
      'a replica whose primary is away',
      ['replicaof 127.0.0.1 1'],
      /let REDIS_URL name the primary/,
      'this Redis is a read-only replica: nobody could sign in',
      'Redis role',
    ],
  ])('%s is one finding with its cause', async (_what, settings, fix, cause, line) => {
    const node = await startNode(['appendonly yes', ...settings]);
    try {
      const found = await findings(`redis://127.0.0.1:${node.port}`);
      expect(found).toEqual(failure(line, cause, fix));
    } finally {
      await node.kill();
    }
  });

  it('a script that does not end is named, and not a Redis that does not answer', async () => {
    const node = await startNode(['appendonly yes', 'busy-reply-threshold 1']);
    try {
      node.client.eval('while true do end', 0).catch(() => undefined);
      const found = await findings(`redis://127.0.0.1:${node.port}`);
      expect(found).toEqual(
        failure(
          'Redis',
          'Redis runs a script or function that does not end, and nothing else (BUSY)',
          /SCRIPT KILL/,
        ),
      );
    } finally {
      await node.kill();
    }
  });

  it('to INFO, where it has another name, is as one to a user who may not use it', async () => {
    const info = () =>
      Promise.reject(new Error("ERR unknown command 'info', with args beginning with: "));
    expect(await readRedisInfo({ info } as unknown as Redis)).toEqual({});
  });

  it('what is no Redis is said to be none', async () => {
    const found = await findings(sandbox.origin.replace('http:', 'redis:'));
    expect(found).toEqual(
      failure(
        'Redis',
        'what answers where REDIS_URL points is no Redis (Unknown RESP type)',
        /correct host and port in REDIS_URL/,
      ),
    );
  });
});

describe('the doctor, where Redis is not given by REDIS_URL', () => {
  const nobody = 'redis://:CANARY-password@127.0.0.1:1';
  it.each(['REDIS_SENTINELS', 'REDIS_CLUSTER_NODES'])(
    'names %s and the reason',
    async (variable) => {
      const found = (await runDoctor({ ...healthy(sandbox), [variable]: nobody })).line('Redis');
      expect(found).toMatchObject({
        verdict: 'fail',
        cause: `nothing listens where ${variable} points (ECONNREFUSED)`,
        fix: `start Redis, or correct host and port in ${variable}`,
      });
    },
  );

  it('a single Redis that is named as a Cluster or a Sentinel is said to answer, but not as one', async () => {
    const single = await startNode(['save ""']);
    const url = `redis://127.0.0.1:${single.port}`;
    const cluster = await runDoctor({ ...healthy(sandbox), REDIS_CLUSTER_NODES: url });
    const sentinel = await runDoctor({ ...healthy(sandbox), REDIS_SENTINELS: url });
    await single.kill();
    expect(cluster.line('Redis')).toMatchObject({
      cause: 'Redis answers where REDIS_CLUSTER_NODES points, but as no Cluster that can be used',
      fix: expect.stringMatching(/^name a single Redis in REDIS_URL instead/) as string,
    });
    expect(sentinel.line('Redis')?.fix).toContain(
      'does REDIS_SENTINELS name Sentinels (port 26379)',
    );
  });

  it('says that no password was sent, where none is set', async () => {
    await replica.client.config('SET', 'requirepass', 'the-right-one');
    const none = await runDoctor(using(replica.url));
    expect(none.line('Redis')?.cause).toBe('Redis wants a password and was sent none (NOAUTH)');
  });

  it('names the variable of the password that is refused', async () => {
    await replica.client.config('SET', 'requirepass', 'the-right-one');
    const { line } = await runDoctor({ ...using(replica.url), REDIS_PASSWORD: 'CANARY-wrong' });
    expect(line('Redis')?.cause).toMatch(/refuses our name or password/);
    expect(line('Redis')?.fix).toContain('put the right password into REDIS_PASSWORD');
  });
});

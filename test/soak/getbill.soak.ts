import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { createProgress } from '../../src/cli/progress.js';
import type { ApiFault } from '../../sandbox/faults.js';
import { defaultClientSecret } from '../../sandbox/sandbox.js';
import { until } from '../support/until.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';
import { startCommandLine, type CommandLine } from '../cli/support/commands.js';

const TOTAL = 1247;
let line: CommandLine;
let redis: RedisServer;
let shared: Record<string, string>;

beforeAll(async () => {
  [line, redis] = await Promise.all([startCommandLine(), startRedis()]);
  shared = {
    REDIS_URL: redis.url,
    SESSION_SECRET: 's'.repeat(32),
    TOKEN_ENCRYPTION_KEY: Buffer.alloc(32, 9).toString('base64'),
  };
});
beforeEach(async () => {
  line.sandbox.control.reset();
  await redis.client.flushall();
});
afterAll(async () => {
  await line.close();
  await redis.close();
});

const counters = () => line.sandbox.control.state().counters;
const numberIn = async (section: string, pattern: RegExp): Promise<number> =>
  Number(pattern.exec(await redis.client.info(section))?.[1] ?? 0);
/** The holder has written a record, a lease and a note by the time it calls; another has tried for the first two. */
const setsSoFar = () => numberIn('commandstats', /cmdstat_set:calls=(\d+)/);
const clients = () => numberIn('clients', /connected_clients:(\d+)/);
const idsIn = (stdout: string): string[] =>
  (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
/** Fails the call after `served` lists of debts. */
const limitAfter = (served: number, retryAfterS: number): void =>
  line.sandbox.control.set({
    api: [
      { mode: 'slow', ms: 0, path: '/debts', times: served },
      { mode: 'rateLimited', retryAfterS, header: true, path: '/debts' },
    ],
  });

describe('the command line', () => {
  it('shows tables to people and the whole objects as JSON', async () => {
    const [profile, users, debts, json] = await Promise.all([
      line.run('company profile'),
      line.run('users'),
      line.run('debts list --limit 2 --status status.default.paid'),
      line.run('debts list --limit 2 --status status.default.paid --json'),
    ]);
    expect(profile.stdout).toContain('Example Collections LLC');
    expect(users.stdout).toContain('Hélène Béranger');
    expect(debts.stdout.match(/│ paid +│/g)).toHaveLength(2);
    expect(debts.stderr).toContain('page 1 of 87, 173 in all; next: --page 2, or --all');
    const [first = ''] = idsIn(json.stdout);
    expect(debts.stdout).toContain(first);
    const one = await line.run(`debts get ${first} --json`);
    expect(JSON.parse(one.stdout)).toMatchObject({
      id: first,
      status: 'status.default.paid',
      contacts: [],
    });
  });

  it('prints what docs/cli.md shows', async () => {
    const example = /\$ npx getbill (debts list --limit .*)\n([^$]*)/.exec(
      readFileSync('docs/cli.md', 'utf8'),
    );
    const [, args = '', output = ''] = example ?? [];
    const { stdout, stderr } = await line.run(args);
    const withoutDates = (text: string) => text.replaceAll(/\d{4}-\d\d-\d\d/g, 'yyyy-mm-dd');
    expect(withoutDates(stdout + stderr)).toBe(withoutDates(output));
  });

  it('asks for the one scope of the command', async () => {
    line.sandbox.control.clearRequests();
    await line.run('users');
    await line.run('followups list');
    const forms = line.sandbox.control.requests().filter(({ url }) => url === '/oauth/token');
    const scopes = forms.map(({ body }) => new URLSearchParams(body).get('scope'));
    expect(scopes).toEqual(['users:read', 'followups:read']);
  });

  it('three processes that ask at once make one token call, and leave no lease behind', async () => {
    line.sandbox.control.set({ token: [{ mode: 'hold' }] });
    await redis.client.config('RESETSTAT');
    const running = ['one', 'two', 'three'].map(() =>
      line.start('company profile --verbose', shared),
    );
    await until('the token call is held', () => line.sandbox.control.state().held === 1);
    await until('the others wait', async () => (await setsSoFar()) >= 7 && (await clients()) >= 4);
    line.sandbox.control.release();
    const ended = await Promise.all(running.map((one) => one.ended));
    for (const { code, stdout } of ended) {
      expect(code).toBe(0);
      expect(stdout).toContain('Example Collections LLC');
    }
    expect(counters().tokenByGrant.client_credentials).toBe(1);
    const later = await line.run('company credits', shared);
    expect([later.code, counters().tokenByGrant.client_credentials]).toEqual([0, 1]);
    expect(await redis.client.keys('lease:*')).toEqual([]);
    expect(await redis.client.keys('grant:app.*')).toHaveLength(1);
  });

  it('debts list --all: 1,247 debts in 13 pages with a 429 in the middle, and none is lost', async () => {
    limitAfter(6, 1);
    const { code, stdout, stderr } = await line.run('debts list --all --json');
    const ids = idsIn(stdout);
    expect([code, ids.length, new Set(ids).size]).toEqual([0, TOTAL, TOTAL]);
    expect(counters().apiByPath).toEqual({ '/debts': 14 });
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(14);
    expect(lines.slice(5, 8)).toEqual([
      'page 6 of 13: 600 of 1247',
      "GetBill's limit is reached: page 7 again in 1 s",
      'page 7 of 13: 700 of 1247',
    ]);
    expect(lines.at(-1)).toBe('page 13 of 13: 1247 of 1247');
  });

  it('stops at a wait that is too long, shows what it has and says where to go on', async () => {
    limitAfter(6, 1800);
    const stopped = await line.run('debts list --all --json');
    expect([stopped.code, idsIn(stopped.stdout).length]).toEqual([5, 600]);
    expect(stopped.stderr).toContain('go on with --page 7');
    line.sandbox.control.reset();
    const rest = await line.run('debts list --all --json --page 7');
    const ids = new Set([...idsIn(stopped.stdout), ...idsIn(rest.stdout)]);
    expect([rest.code, ids.size]).toEqual([0, TOTAL]);
  });

  it('leaves the last of the quota to people', async () => {
    line.sandbox.control.set({ limitReads: 100 });
    const { code, stdout } = await line.run('debts list --all --json --limit 10');
    expect([code, idsIn(stdout).length]).toEqual([5, 960]);
    expect(counters().apiCalls).toBe(96);
  });

  it('does not let what others wrote into GetBill steer the terminal', async () => {
    const hostile = {
      id: 'd1',
      firstname: '\u001b[2J\u009b31m',
      lastname: '\u202eevil',
      amount_text: '1',
      status: 'x',
    };
    const body = {
      error: false,
      data: [hostile],
      pagination: { total: 1, page: 1, limit: 20, pages: 1 },
    };
    line.sandbox.control.set({ api: [{ mode: 'status', status: 200, body }] });
    const { code, stdout } = await line.run('debts list');
    expect([code, stdout.includes('evil')]).toEqual([0, true]);
    expect(stdout).not.toMatch(/[\u001b\u009b\u202e]/);
  });
});

describe('the exit code', () => {
  it.each<[code: number, why: string, args: string, env: Record<string, string>, said: RegExp]>([
    [0, 'help', '--help', {}, /^$/],
    [2, 'an unknown command', 'invoices list', {}, /unknown command/],
    [2, 'a limit above 100', 'debts list --limit 101', {}, /from 1 to 100/],
    [3, 'no client id', 'users', { GETBILL_CLIENT_ID: '' }, /GETBILL_CLIENT_ID is not set/],
    [3, 'shared storage without its key', 'users', { REDIS_URL: 'redis://localhost:1' }, /TOKEN_ENCRYPTION_KEY is not set/],
    [3, 'a wrong secret', 'users', { GETBILL_CLIENT_SECRET: 'wrong-canary' }, /invalid_client/],
    [4, 'an id that does not exist', 'debts get nothing-has-this-id', {}, /not_found/],
    [6, 'nobody at that address', 'users', { GETBILL_BASE_URL: 'http://localhost:1' }, /could not be reached/],
  ])('%i: %s', async (code, _why, args, env, said) => {
    const ended = await line.run(args, env);
    expect([ended.code, code === 0 || ended.stdout === '']).toEqual([code, true]);
    expect(ended.stderr).toMatch(said);
    expect(ended.stderr + ended.stdout).not.toContain('wrong-canary');
  }); // prettier-ignore

  it('5: GetBill\'s limit, without "--all" and without waiting', async () => {
    line.sandbox.control.set({ api: [{ mode: 'rateLimited', retryAfterS: 1800 }] });
    const { code, stderr } = await line.run('debts list');
    expect(code).toBe(5);
    expect(stderr).toContain('try again in 1800 s');
  });

  it('3 while a rejected client is left alone by all processes, without another token call', async () => {
    const env = { ...shared, GETBILL_CLIENT_SECRET: 'wrong-canary' };
    for (const { code } of [await line.run('users', env), await line.run('users', env)])
      expect(code).toBe(3);
    expect(counters().tokenCalls).toBe(1);
  });

  it.each<[string, () => string, RegExp, RegExp]>([
    [
      'is not there',
      () => 'redis://:wrong-canary@localhost:1',
      /nothing listens at redis:\/\/localhost:1 \(REDIS_URL, ECONNREFUSED\)/,
      /ECONNREFUSED 127\.0\.0\.1:1/,
    ],
    [
      'refuses the password',
      () => redis.url.replace('unix://', 'unix://:wrong-canary@localhost'),
      /WRONGPASS/,
      /WRONGPASS/,
    ],
  ])('6: Redis %s, and the reason is said', async (_what, url, reason, webhookReason) => {
    await redis.client.config('SET', 'requirepass', 'the-right-one');
    const env = {
      ...shared,
      REDIS_URL: url(),
      GETBILL_WEBHOOK_SECRET: 'webhook-secret-of-this-test-1',
      GETBILL_WEBHOOK_COMPANY: 'one',
    };
    const ended = [line.run('users', env), line.run('webhooks list', env)];
    const [call, list] = await Promise.all(ended);
    await redis.client.config('SET', 'requirepass', '');
    expect([call?.code, list?.code]).toEqual([6, 6]);
    expect(call?.stderr).toContain('is Redis reachable');
    expect(call?.stderr).toMatch(reason);
    expect(list?.stderr).toMatch(webhookReason);
    expect(`${call?.stderr}${list?.stderr}`).not.toContain('wrong-canary');
  });
});

describe('Ctrl-C', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    '(%s) lets a token call end, gives the lease back, shows nothing and ends with 130',
    async (signal) => {
      line.sandbox.control.set({ token: [{ mode: 'hold' }] });
      const command = line.start('debts list --json', shared);
      await until('the token call is held', () => line.sandbox.control.state().held === 1);
      expect(await redis.client.keys('lease:*')).toHaveLength(1);
      command.child.kill(signal);
      await until('it has noticed', () => command.said().includes('interrupted'));
      line.sandbox.control.release();
      expect(await command.ended).toEqual({ code: 130, stdout: '', stderr: '\ninterrupted\n' });
      expect(await redis.client.keys('lease:*')).toEqual([]);
    },
  );

  it.each<[string, ApiFault]>([
    ['while it waits for the limit', { mode: 'rateLimited', retryAfterS: 30 }],
    ['in the middle of a call', { mode: 'hold' }],
  ])('%s of a long list prints no half of it', async (_when, fault) => {
    line.sandbox.control.set({ api: [{ mode: 'slow', ms: 0, times: 3 }, fault] });
    const command = line.start('debts list --all --json');
    await until(
      'it is there',
      () => counters().apiCalls === 4 && command.said().includes('page 3 of'),
    );
    command.child.kill('SIGINT');
    const { code, stdout } = await command.ended;
    expect([code, stdout]).toEqual([130, '']);
    line.sandbox.control.release();
  });

  it('twice does not wait for anything', async () => {
    line.sandbox.control.set({ token: [{ mode: 'hold' }] });
    const command = line.start('users', shared);
    await until('the token call is held', () => line.sandbox.control.state().held === 1);
    command.child.kill('SIGINT');
    await until('it has noticed', () => command.said().includes('interrupted'));
    command.child.kill('SIGINT');
    expect((await command.ended).code).toBe(130);
    line.sandbox.control.release();
  });
});

describe('what is said', () => {
  it('holds no token and no secret, however much is asked for', async () => {
    line.sandbox.control.set({
      token: [{ mode: 'body', override: { access_token: 'CANARY-access-token' } }],
    });
    const { stderr, stdout } = await line.run('users --verbose');
    expect(stderr).toContain('"type":"token_requested"');
    expect(stderr).toContain('"route":"/company/users"');
    for (const canary of ['CANARY-access-token', defaultClientSecret])
      expect(stderr + stdout).not.toContain(canary);
  });

  it('is a bar at a terminal', () => {
    let drawn = '';
    const stream = Object.assign(new EventEmitter(), {
      isTTY: true,
      columns: 120,
      write: (text: string) => (drawn += text),
    }) as unknown as NodeJS.WriteStream;
    const progress = createProgress(stream);
    progress.page({ page: 1, pages: 13, limit: 100, total: TOTAL });
    progress.wait({ page: 2, waitMs: 1500 });
    progress.stop();
    expect(drawn).toContain('100 of 1247, page 1 of 13');
    expect(drawn).toContain('GetBill says to wait 2 s');
    expect(drawn).toContain('\u001b[?25h'); // the cursor is back
  });

  it('is a line at a terminal while the first page waits, where there is no bar yet', () => {
    const said = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    const stream = Object.assign(new EventEmitter(), { isTTY: true }) as NodeJS.WriteStream;
    createProgress(stream).wait({ page: 1, waitMs: 1500 });
    const texts = said.mock.calls.map(([text]) => text);
    said.mockRestore();
    expect(texts).toEqual(["GetBill's limit is reached: page 1 again in 2 s\n"]);
  });
});

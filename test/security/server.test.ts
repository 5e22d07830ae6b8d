import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { buildApp } from '../process/support/app-build.js';
import { environment } from '../process/support/environment.js';
import { startInstallation, type Installation } from '../process/support/installation.js';
import { until } from '../support/until.js';
import { exchange, rawRequest } from '../proxy/support/raw-http.js';

jest.setTimeout(90_000);

/** SIGUSR2 lets a promise of the process reject that nobody waits for. */
const PLANTED_BUG = encodeURIComponent(
  'process.on("SIGUSR2", () => { Promise.reject(new Error("planted bug")) })',
);
const HEAD = ['Host: connect.example', 'X-Forwarded-Proto: https'];

let site: Installation<'app' | 'buggy' | 'stopping' | 'hungUp'>;
beforeAll(async () => {
  site = await startInstallation({ processes: ['app', 'buggy', 'stopping', 'hungUp'], env: ({ name }) => ({ ...(name === 'buggy' && { NODE_OPTIONS: `--import=data:text/javascript,${PLANTED_BUG}` }) }), }); // prettier-ignore
});
afterAll(() => site.close());

const isAlive = async (): Promise<boolean> =>
  (await site.stranger.call(site.apps.app, '/healthz')).status === 200;

describe('a request too large for the server', () => {
  it.each([
    ['a header of 17 KB', 'GET', '/', [`X-Large: ${'a'.repeat(17_000)}`]],
    ['headers of 20 KB together', 'GET', '/', Array.from({ length: 40 }, (_, index) => `X-${index}: ${'a'.repeat(500)}`)],
    ['2,000 headers', 'GET', '/', Array<string>(2_000).fill('a:b')],
    ['cookies of 17 KB', 'GET', '/dashboard', [`Cookie: gb=${'a'.repeat(17_000)}`]],
    ['an address of 20 KB', 'GET', `/?x=${'a'.repeat(20_000)}`, []],
  ] as const)('[J05] is 431 and harms nobody: %s', async (_name, method, target, headers) => {
    const { status, body } = await exchange(site.apps.app.origin, rawRequest(method, target, [...HEAD, ...headers]));
    expect([status, body]).toEqual([431, '']);
    expect(await isAlive()).toBe(true);
  }); // prettier-ignore

  it.each([
    ['not HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n'],
    ['two lengths', `POST / HTTP/1.1\r\n${HEAD.join('\r\n')}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na`],
    ['a length and chunks', `POST / HTTP/1.1\r\n${HEAD.join('\r\n')}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a folded header', `GET / HTTP/1.1\r\n${HEAD.join('\r\n')}\r\nX-A: a\r\n b\r\n\x00\r\n\r\n`],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['two Hosts', `GET / HTTP/1.1\r\n${HEAD.join('\r\n')}\r\nHOST: evil.example\r\nConnection: close\r\n\r\n`],
    ['the same Host twice', `GET /healthz HTTP/1.1\r\n${HEAD.join('\r\n')}\r\n${HEAD.join('\r\n')}\r\nConnection: close\r\n\r\n`],
  ] as const)('[J05] or malformed is 400: %s', async (_name, bytes) => {
    expect((await exchange(site.apps.app.origin, Buffer.from(bytes, 'latin1'))).status).toBe(400);
    expect(await isAlive()).toBe(true);
  }); // prettier-ignore
});

describe('a bug that nobody catches', () => {
  it('[F05] is one fatal line in the log, and the process ends with 1', async () => {
    const { buggy } = site.apps;
    buggy.signal('SIGUSR2');
    expect(await buggy.exited).toEqual({ code: 1, signal: null });
    const fatal = buggy.log().split('\n').filter((line) => line.includes('planted bug')); // prettier-ignore
    expect(fatal).toHaveLength(1);
    expect(JSON.parse(fatal[0] ?? '')).toMatchObject({ level: 60, msg: 'unhandledRejection' });
  });
});

describe('a process that is told to stop', () => {
  const isRefused = (origin: string): Promise<boolean> =>
    new Promise((resolve) => {
      const { hostname, port } = new URL(origin);
      const socket = connect(Number(port), hostname, () => resolve(false));
      socket.once('error', () => resolve(true)).once('connect', () => socket.destroy());
    });

  it.each([
    ['stopping', 'SIGTERM'],
    ['hungUp', 'SIGHUP'], // its terminal was closed
  ] as const)('[J07] finishes what is under way, takes nothing new, lets go of Redis and ends with 0: %s by %s', async (name, signal) => {
    const stopping = site.apps[name];
    const connections = async (): Promise<number> => String(await site.redis.client.client('LIST')).trim().split('\n').length; // prettier-ignore
    const visitor = await site.signIn({ at: stopping });
    site.sandbox.control.set({ api: [{ mode: 'hold' }] });
    const call = visitor.profile(stopping);
    await until('the call is held', () => site.sandbox.control.state().held === 1);
    const before = await connections();
    stopping.signal(signal);
    await until('nothing new is taken', () => isRefused(stopping.origin));
    site.sandbox.control.release();
    expect((await call).status).toBe(200);
    expect(await stopping.exited).toEqual({ code: 0, signal: null });
    expect(stopping.log()).toMatch(/"msg":"stopped"/); // written once Redis and the connections to GetBill are closed
    expect(await connections()).toBe(before - 1);
  }); // prettier-ignore
});

describe('a browser that goes away', () => {
  it('[F05] in the middle of a request, hurts nobody', async () => {
    const { app } = site.apps;
    const visitor = await site.signIn({ at: app });
    site.sandbox.control.set({ api: [{ mode: 'hold', times: 20 }] });
    const leaving = Array.from({ length: 20 }, () => new AbortController());
    const calls = leaving.map(({ signal }) => visitor.profile(app, { signal }).catch(() => 'gone'));
    await until('the calls are held', () => site.sandbox.control.state().held >= 20);
    for (const controller of leaving) controller.abort();
    expect(await Promise.all(calls)).toEqual(Array(20).fill('gone'));
    site.sandbox.control.release();
    expect((await visitor.profile(app)).status).toBe(200);
    expect(app.log()).not.toMatch(/"level":(50|60)/);
  });
});

describe('a log that nobody reads any more', () => {
  it('[G06] does not stop the app from serving', async () => {
    const build = buildApp();
    const env = { ...environment(site.sandbox), REDIS_URL: site.redis.url };
    const child = spawn(process.execPath, [build.main], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const { port } = JSON.parse(line.toString().split('\n')[0] ?? '') as { port: number };
      child.stdout.destroy();
      await once(child.stdout, 'close');
      const origin = `http://127.0.0.1:${port}`;
      for (let times = 0; times < 20; times += 1) {
        expect(
          (await exchange(origin, rawRequest('GET', '/', [...HEAD, 'Connection: close']))).status,
        ).toBe(200);
      }
      expect(child.exitCode).toBeNull();
    } finally {
      child.kill('SIGKILL');
      build.remove();
    }
  });
});

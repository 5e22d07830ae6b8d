import { spawn } from 'node:child_process';
import dns from 'node:dns';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { parseConfig, type GetbillConfig } from '../../src/config/config.js';
import { createUpstream, type Upstream } from '../../src/getbill/upstream.js';
import type { UpstreamResponse } from '../../src/getbill/upstream-call.js';
import { lookAtPort } from '../../src/cli/doctor/tls.js';
import { createAuthority, type Authority } from '../security/support/certificates.js';
import { startTlsFront } from '../security/support/tls-front.js';
import { startForwarder, type Forwarder } from '../support/forwarder.js';
import { SESSION_SECRET, TOKEN_ENCRYPTION_KEY, type TestApp } from '../support/test-app.js';
import { startApiServer, type ApiServer } from './support/api-server.js';
import { signIn, startProxyApp } from './support/caller.js';
import { startConnectProxy, type ConnectProxy } from './support/connect-proxy.js';

jest.setTimeout(30_000);

const TIMEOUT_MS = 1_000;

let api: ApiServer;
let relay: Forwarder;
const open: { close(): unknown }[] = [];
beforeAll(async () => {
  api = await startApiServer();
});
beforeEach(async () => {
  relay = await startForwarder({ to: () => Number(new URL(api.origin).port) });
  open.push(relay);
  api.received.length = 0;
});
afterEach(async () => {
  jest.restoreAllMocks();
  for (const one of open.splice(0).reverse()) await one.close();
});
afterAll(() => api.close());

function getbillConfig(env: Record<string, string> = {}): GetbillConfig {
  return parseConfig({
    GETBILL_CLIENT_ID: 'client-1',
    GETBILL_CLIENT_SECRET: 'client-secret-1',
    SESSION_SECRET,
    TOKEN_ENCRYPTION_KEY,
    GETBILL_TIMEOUT_MS: String(TIMEOUT_MS),
    ...env,
  }).getbill;
}

/** As production makes it. */
function startUpstream(env: Record<string, string> = {}): Upstream {
  const upstream = createUpstream({ config: getbillConfig(env), emit: () => undefined });
  open.push(upstream);
  return upstream;
}

const viaRelay = (): URL => new URL(`http://127.0.0.1:${relay.port}/debts`);

function call(
  upstream: Upstream,
  method = 'GET',
  timeoutMs = TIMEOUT_MS,
): Promise<UpstreamResponse> {
  const body = method === 'POST' ? '{}' : undefined;
  return upstream.open(viaRelay(), { method, headers: {}, body, timeoutMs });
}

/** undici takes a connection back a turn of the event loop after its response. */
async function takenBack(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const outcomeOf = (work: Promise<{ status: number }>): Promise<unknown> =>
  work.then(
    ({ status }) => status,
    (error: unknown) => (error as { code?: unknown }).code,
  );

describe('a kept connection to GetBill that a NAT has forgotten', () => {
  it.each(['GET', 'HEAD'])(
    'costs a %s half of its deadline: it goes again on a new one',
    async (method) => {
      const upstream = startUpstream();
      await call(upstream);
      await takenBack();
      relay.silence();
      expect(await outcomeOf(call(upstream, method))).toBe(200);
      expect([relay.accepted(), api.received.map((one) => one.method)]).toEqual([
        2,
        ['GET', method],
      ]);
    },
  );

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    'costs a %s its deadline: it is never sent twice',
    async (method) => {
      const upstream = startUpstream();
      await call(upstream);
      await takenBack();
      relay.silence();
      expect(await outcomeOf(call(upstream, method))).toBe('getbill_timeout');
      expect([relay.accepted(), api.received.length]).toEqual([1, 1]);
    },
  );

  it('is told apart from a slow API, whose response is waited for and taken', async () => {
    const upstream = startUpstream();
    await call(upstream);
    await takenBack();
    const answers: (() => void)[] = [];
    api.answerWith((res) => void answers.push(() => res.end('{"slow":true}')));
    const slow = call(upstream, 'GET', 2_000);
    await api.arrived(3); // the second try is under way
    answers[0]?.();
    const { body } = await slow;
    expect(Buffer.isBuffer(body) && body.toString()).toBe('{"slow":true}');
    api.answerWith((res) => void res.end('{}'));
    await api.received[2]?.connectionEnded; // the one that lost leaves nothing behind
  });
});

describe('a kept connection to GetBill that the other side has dropped', () => {
  /** Answers once, then resets the connection at the next request. */
  async function startDropping(): Promise<{ origin: URL; heard: string[] }> {
    const heard: string[] = [];
    const answered = new Set<Socket>();
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        heard.push(bytes.toString().split(' ')[0] ?? '');
        if (answered.has(socket)) return void socket.resetAndDestroy();
        answered.add(socket);
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push({ close: () => server.close() });
    const { port } = server.address() as { port: number };
    return { origin: new URL(`http://127.0.0.1:${port}/debts`), heard };
  }
  async function send(upstream: Upstream, origin: URL, method: string): Promise<unknown> {
    await takenBack();
    return await outcomeOf(upstream.open(origin, { method, headers: {}, timeoutMs: TIMEOUT_MS }));
  }

  it('costs a GET nothing: it goes again on a new one', async () => {
    const [upstream, { origin, heard }] = [startUpstream(), await startDropping()];
    expect([await send(upstream, origin, 'GET'), await send(upstream, origin, 'GET')]).toEqual([
      200, 200,
    ]);
    expect(heard).toEqual(['GET', 'GET', 'GET']);
  });

  it('is 502 for a DELETE, which is never sent twice', async () => {
    const [upstream, { origin, heard }] = [startUpstream(), await startDropping()];
    expect(await send(upstream, origin, 'GET')).toBe(200);
    expect(await send(upstream, origin, 'DELETE')).toBe('getbill_unreachable');
    expect(heard).toEqual(['GET', 'DELETE']);
  });

  it('is never met by a token call, which has a new one each time', async () => {
    const [upstream, { origin, heard }] = [startUpstream(), await startDropping()];
    const token = () => upstream.send(origin, { headers: {}, body: 'a=b', timeoutMs: TIMEOUT_MS });
    expect([await outcomeOf(token()), await outcomeOf(token())]).toEqual([200, 200]);
    expect(heard).toEqual(['POST', 'POST']);
  });
});

describe('the pool', () => {
  it('gives a connection up after half a minute of use, so that a moved name is followed', async () => {
    const upstream = startUpstream();
    await call(upstream);
    await takenBack();
    await call(upstream);
    await takenBack();
    expect(relay.accepted()).toBe(1);
    const now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now + 31_000);
    await call(upstream);
    expect(relay.accepted()).toBe(2);
  });

  it('has connections for token calls that API calls cannot take', async () => {
    const upstream = startUpstream();
    api.answerWith((res, { method }) => void (method === 'POST' && res.end('{}')));
    const hanging = Array.from({ length: 300 }, () => outcomeOf(call(upstream, 'GET', 10_000)));
    await api.arrived(100);
    const token = upstream.send(viaRelay(), { headers: {}, body: 'a=b', timeoutMs: TIMEOUT_MS });
    expect(await outcomeOf(token)).toBe(200);
    await upstream.close();
    await Promise.all(hanging);
    api.answerWith((res) => void res.end('{}'));
  });
});

describe('a name with an IPv4 and an IPv6 address, on a machine without IPv6', () => {
  it.each<[string, (port: number) => Promise<unknown>]>([
    [
      'the app',
      async (port) => {
        const upstream = startUpstream({ GETBILL_TIMEOUT_MS: '10000' });
        const target = new URL(`http://getbill.test:${port}/debts`);
        return await outcomeOf(
          upstream.open(target, { method: 'GET', headers: {}, timeoutMs: 10_000 }),
        );
      },
    ],
    [
      'the doctor',
      async (port) => {
        const direct = {
          timeoutMs: 10_000,
          proxy: { http: undefined, https: undefined, except: '' },
        };
        return await lookAtPort(new URL(`http://getbill.test:${port}`), direct).then(() => 200);
      },
    ],
  ])('is reached also when the handshake takes a second: by %s', async (_name, calling) => {
    // A full queue drops the first SYN; the kernel sends it again after a second.
    const listening = spawn(process.execPath, [
      '-e',
      `require('net').createServer((s) => s.on('error', () => 0).on('data', () => s.end('HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\n{}')))
        .listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () { console.log(this.address().port); process.kill(process.pid, 'SIGSTOP'); });`,
    ]);
    open.push({ close: () => listening.kill('SIGKILL') });
    const port = Number(await new Promise((resolve) => listening.stdout.once('data', resolve)));
    const fillers = Array.from({ length: 2 }, () => dialed(port));
    await Promise.all(fillers);
    jest.spyOn(dns, 'lookup').mockImplementation(((_host: string, _options: object, done: (error: null, all: object[]) => void) => done(null, [
      { address: '127.0.0.1', family: 4 },
      { address: '2001:db8::1', family: 6 },
    ])) as unknown as typeof dns.lookup); // prettier-ignore
    setTimeout(() => listening.kill('SIGCONT'), 300); // past Node's own 250 ms for one address
    expect(await calling(port)).toBe(200);
  });

  async function dialed(port: number): Promise<void> {
    const { connect } = await import('node:net');
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    open.push({ close: () => socket.destroy() });
    await new Promise((resolve) => socket.once('connect', resolve));
  }
});

describe('a proxy that the environment names', () => {
  let authority: Authority;
  let proxy: ConnectProxy;
  beforeAll(() => {
    authority = createAuthority();
  });
  afterAll(() => authority.remove());
  beforeEach(async () => {
    proxy = await startConnectProxy();
    open.push(proxy);
  });

  /** GetBill behind TLS; the app reaches it by the environment. */
  async function startBehindTls(
    env: Record<string, string>,
  ): Promise<{ app: TestApp; host: string; getbill: URL }> {
    const sandboxed = await startProxyApp();
    const getbill = await startTlsFront(authority.issue(), { to: sandboxed.sandbox.origin });
    const app = await startProxyApp({
      sandbox: sandboxed.sandbox,
      env: {
        GETBILL_CA_FILE: authority.caFile,
        GETBILL_TOKEN_URL: `${getbill.origin}/oauth/token`,
        GETBILL_API_URL: `${getbill.origin}/external-api/v1`,
        ...env,
      },
    });
    open.push(sandboxed, getbill, app);
    return { app, host: new URL(getbill.origin).host, getbill: new URL(getbill.origin) };
  }

  it.each(['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY'])(
    'is used for token and API calls, with our own CA: %s',
    async (name) => {
      const { app, host } = await startBehindTls({ [name]: proxy.url });
      expect((await (await signIn(app)).read('/api/debts')).status).toBe(200);
      expect(proxy.asked.length).toBeGreaterThanOrEqual(2);
      expect(new Set(proxy.asked)).toEqual(new Set([host]));
      expect(app.logged()).not.toMatch(/let.{1,3}me.{1,3}in/);
    },
  );

  it.each(['localhost', 'LOCALHOST', 'other.test, localhost', '*', '.localhost'])(
    'is not used for what NO_PROXY names: %s',
    async (names) => {
      const { app } = await startBehindTls({ HTTPS_PROXY: proxy.url, NO_PROXY: names });
      expect((await (await signIn(app)).read('/api/debts')).status).toBe(200);
      expect(proxy.asked).toEqual([]);
    },
  );

  it('does not get around pins', async () => {
    const pins = [authority.issue().pin, authority.issue().pin].join();
    const { app } = await startBehindTls({ HTTPS_PROXY: proxy.url, GETBILL_TLS_PINS: pins });
    await expect(signIn(app)).rejects.toThrow('502');
    expect(app.events.filter(({ type }) => type === 'tls_failed')).toMatchObject([
      { reason: 'TLS_PIN_MISMATCH' },
    ]);
  });

  it.each([
    ['refuse', 'getbill_unreachable'],
    ['hang', 'getbill_timeout'],
  ] as const)('is not waited for without end when it does this: %s', async (behaviour, code) => {
    proxy.does(behaviour);
    const upstream = startUpstream({ HTTP_PROXY: proxy.url });
    expect(await outcomeOf(call(upstream))).toBe(code);
    proxy.does('tunnel');
    expect(await outcomeOf(call(upstream))).toBe(200);
  });
});

describe('a token call', () => {
  it('ends at its deadline, also when its response has begun: its lease ends soon after it', async () => {
    const server = createServer((socket) => {
      const drip = setInterval(() => socket.write(' '), TIMEOUT_MS / 10); // whole after three deadlines
      socket.on('error', () => undefined).once('close', () => clearInterval(drip));
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push({ close: () => server.close() });
    const { port } = server.address() as { port: number };
    const request = { headers: {}, body: 'a=b', timeoutMs: TIMEOUT_MS };
    const call = startUpstream().send(new URL(`http://127.0.0.1:${port}/token`), request);
    expect(await outcomeOf(call)).toBe('getbill_timeout');
  });
});

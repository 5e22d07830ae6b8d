import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { makeCompanies } from '../../sandbox/api/data/companies.js';
import { openSocket, rawRequest } from '../proxy/support/raw-http.js';
import type { AppProcess } from '../process/support/app-process.js';
import { startInstallation, type Installation } from '../process/support/installation.js';
import { until } from '../support/until.js';

jest.setTimeout(120_000); // processes have to start, on a machine that may be busy

const HEAD = ['Host: connect.example', 'X-Forwarded-Proto: https'];
const FORM = [...HEAD, 'Content-Type: application/x-www-form-urlencoded'];
const METRICS_TOKEN = 'metrics-token-of-this-test';

let site: Installation<'small' | 'held' | 'twice' | 'thrice'>;
beforeAll(async () => {
  site = await startInstallation({
    processes: ['small', 'held', 'twice', 'thrice'],
    env: ({ name }) => ({
      METRICS_TOKEN,
      ...(name === 'small' && { NODE_OPTIONS: '--max-old-space-size=48' }),
      ...(name === 'held' && { GETBILL_TIMEOUT_MS: '100' }),
    }),
  });
});
afterAll(() => site.close());
beforeEach(() => site.sandbox.control.reset());

/** Sends it all and hangs up, before or after the first response has come. */
async function sendAndHangUp(
  app: AppProcess,
  bytes: Buffer,
  { afterResponse = false } = {},
): Promise<void> {
  const socket = openSocket(app.origin);
  if (afterResponse) socket.once('data', () => socket.destroy());
  socket.write(bytes, () => {
    if (!afterResponse) socket.destroy();
  });
  await once(socket, 'close');
}

const isHealthy = async (app: AppProcess): Promise<boolean> =>
  (await site.stranger.call(app, '/healthz')).status === 200;

describe('a client that pipelines requests and hangs up', () => {
  it('costs no memory that lasts, whatever it asks for', async () => {
    const { small } = site.apps;
    const requests = [
      rawRequest('GET', '/', HEAD),
      rawRequest('HEAD', '/', HEAD),
      rawRequest('GET', '/assets/style.css', HEAD),
      rawRequest('GET', '/no-such-path', HEAD),
      rawRequest('GET', '/api/company/profile', HEAD),
      rawRequest('POST', '/logout', [...FORM, 'Content-Length: 5'], 'a=b&c'),
    ];
    for (const request of requests) {
      const many = Buffer.concat(Array<Buffer>(300).fill(request));
      for (let round = 0; round < 2; round += 1) {
        const afterResponse = round % 2 === 0;
        await Promise.all(
          Array.from({ length: 4 }, () => sendAndHangUp(small, many, { afterResponse })),
        );
      }
      expect(await isHealthy(small)).toBe(true);
    }
    expect(small.log()).not.toMatch(/heap|"level":60/);
  });

  it('and reads nothing costs no memory either, on hundreds of connections with heads as long as may be', async () => {
    const { small } = site.apps;
    const long = rawRequest('GET', '/assets/style.css', [...HEAD, `X-Long: ${'x'.repeat(15_000)}`]);
    const many = Buffer.concat(Array<Buffer>(32).fill(long));
    const sockets = Array.from({ length: 300 }, () => openSocket(small.origin).pause());
    try {
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      for (const socket of sockets) socket.write(many);
      for (let times = 0; times < 20; times += 1) {
        await delay(100);
        expect(await isHealthy(small)).toBe(true);
      }
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    expect(small.log()).not.toMatch(/heap|"level":60/);
  });

  it('has each of its writes at GetBill in the log and in the metrics', async () => {
    const { small } = site.apps;
    const visitor = await site.signIn({ at: small });
    const [debt] = makeCompanies()[0].debts.keys();
    const body = JSON.stringify({ debt_id: debt, type: 'call', notes: 'pipelined' });
    const head = [
      ...HEAD,
      `Cookie: ${visitor.cookie}`,
      `X-CSRF-Token: ${await visitor.csrfToken(small)}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ];
    const request = rawRequest('POST', '/api/followups', head, body);
    const requests = (): unknown[] =>
      site.sandbox.control
        .requests()
        .filter(({ method, url }) => method === 'POST' && url.includes('/followups'));
    const lines = (): string[] =>
      small.log().split('\n').filter((line) => /"method":"POST","route":"\/api\/followups"/.test(line)); // prettier-ignore

    await sendAndHangUp(small, Buffer.concat(Array<Buffer>(20).fill(request)), {
      afterResponse: true,
    });
    await sendAndHangUp(small, Buffer.concat(Array<Buffer>(20).fill(request)));
    await isHealthy(small);
    const authorization = `Bearer ${METRICS_TOKEN}`;
    const countInMetrics = async (): Promise<number> => {
      const { text } = await site.stranger.call(small, '/metrics', { headers: { authorization } });
      return text
        .split('\n')
        .filter((line) =>
          /request_seconds_count\{method="POST",route="\/api\/followups"/.test(line),
        )
        .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    };
    let counted = 0;
    await until('log and metrics say the same of each write', async () => {
      counted = await countInMetrics();
      const isEach = requests().length > 0 && counted >= requests().length;
      return isEach && lines().length === counted; // a line may be on its way to this process
    });
    expect(counted).toBeGreaterThanOrEqual(requests().length);
  });

  it('is answered in order when it waits for its responses', async () => {
    const socket = openSocket(site.apps.small.origin);
    const paths = Array.from({ length: 30 }, (_, index) =>
      index % 3 === 0 ? '/' : `/no-such-path/${index}`,
    );
    const requests = paths.map((path, index) =>
      rawRequest('GET', path, [
        ...HEAD,
        `X-Request-Id: ${index}`,
        ...(index === 29 ? ['Connection: close'] : []),
      ]),
    );
    socket.write(Buffer.concat(requests));
    const chunks: Buffer[] = [];
    for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
    const ids = [
      ...Buffer.concat(chunks)
        .toString()
        .matchAll(/X-Request-Id: (\d+)/gi),
    ].map(([, id]) => Number(id));
    expect(ids).toEqual(paths.map((_, index) => index));
  });
});

describe('a process that is told to stop', () => {
  it('ends in the documented time, whatever its clients leave unfinished', async () => {
    const { held } = site.apps;
    const opened: Socket[] = [
      rawRequest('POST', '/logout', [...FORM, 'Content-Length: 1000'], '_csrf='),
      rawRequest('POST', '/logout', [...FORM, 'Transfer-Encoding: chunked'], '5\r\n_csrf'),
      Buffer.from('GET / HTTP/1.1\r\nHost: connect.example\r\nX-Slow: '),
      rawRequest('GET', '/healthz', HEAD),
      Buffer.alloc(0),
      Buffer.concat(Array<Buffer>(30).fill(rawRequest('GET', '/assets/style.css', HEAD))),
    ].map((bytes) => {
      const socket = openSocket(held.origin);
      socket.write(bytes);
      return socket.pause();
    });
    const dripping = setInterval(
      () => opened.forEach((socket) => socket.writable && socket.write('a')),
      100,
    );
    try {
      expect(await isHealthy(held)).toBe(true);
      let hasExited = false;
      void held.exited.then(() => (hasExited = true));
      held.signal('SIGTERM');
      await until('it has exited', () => hasExited); // DRAIN_DELAY_S + GETBILL_TIMEOUT_MS + 3 s are 3.1 s here
      expect(await held.exited).toEqual({ code: 0, signal: null });
      expect(held.log()).toMatch(/"msg":"stopped"/);
    } finally {
      clearInterval(dripping);
      for (const socket of opened) socket.destroy();
    }
  });

  it('finishes what is under way when it is told twice', async () => {
    const { twice } = site.apps;
    const visitor = await site.signIn({ at: twice });
    site.sandbox.control.set({ api: [{ mode: 'hold' }] });
    const call = visitor.profile(twice);
    await until('the call is held', () => site.sandbox.control.state().held === 1);
    twice.signal('SIGTERM');
    await until('it is stopping', () => twice.log().includes('"msg":"stopping"'));
    twice.signal('SIGTERM');
    await until('it has heard the second signal', () =>
      twice.log().includes('"msg":"still stopping"'),
    );
    site.sandbox.control.release();
    expect((await call).status).toBe(200);
    expect(await twice.exited).toEqual({ code: 0, signal: null });
  });

  it('ends at once when it is told a third time', async () => {
    const { thrice } = site.apps;
    const visitor = await site.signIn({ at: thrice });
    site.sandbox.control.set({ api: [{ mode: 'hold' }] });
    const call = visitor.profile(thrice).catch(() => 'cut off');
    await until('the call is held', () => site.sandbox.control.state().held === 1);
    for (const [signal, message] of [
      ['SIGINT', 'stopping'],
      ['SIGTERM', 'still stopping'],
    ] as const) {
      thrice.signal(signal);
      await until(message, () => thrice.log().includes(`"msg":"${message}"`));
    }
    thrice.signal('SIGINT');
    expect(await thrice.exited).toEqual({ code: 1, signal: null });
    expect(await call).toBe('cut off');
    site.sandbox.control.release();
  });
});

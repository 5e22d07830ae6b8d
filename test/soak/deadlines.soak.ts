import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { request } from 'undici';
import type { TestApp } from '../support/test-app.js';
import {
  EMPTY_SUCCESS,
  json,
  startApiServer,
  type ApiServer,
} from '../proxy/support/api-server.js';
import { send, signIn, startProxyApp, type Caller } from '../proxy/support/caller.js';
import { openSocket, rawRequest } from '../proxy/support/raw-http.js';
import { until } from '../support/until.js';

const KIB = 1024;
const TIMEOUT_MS = 300;
/** What a busy machine may add. */
const SLACK_MS = 15_000; // far from for ever, which is what these calls would take

let api: ApiServer;
/** Waits for the API as long as TIMEOUT_MS. */
let hasty: TestApp;
/** Waits so long that no deadline of its own can be what ends a call. */
let patient: TestApp;
let hastyCaller: Caller;
let patientCaller: Caller;
beforeAll(async () => {
  api = await startApiServer();
  const env = { GETBILL_API_URL: api.apiUrl };
  hasty = await startProxyApp({ env: { ...env, GETBILL_TIMEOUT_MS: String(TIMEOUT_MS) } });
  patient = await startProxyApp({
    env: { ...env, GETBILL_TIMEOUT_MS: '60000' },
    sandbox: hasty.sandbox,
  });
  [hastyCaller, patientCaller] = await Promise.all([signIn(hasty), signIn(patient)]);
});
afterAll(async () => {
  await patient.close();
  await hasty.close();
  await api.close();
});
beforeEach(() => {
  api.received.length = 0;
});
afterEach(() => api.callsEnded());

const never = (): void => undefined;
const start = (res: ServerResponse): ServerResponse =>
  res.writeHead(200, { 'content-type': 'application/json' });
const startOfJson = (bytes: number): string => `{"data":"${'x'.repeat(bytes)}`;

async function timed<T>(work: Promise<T>): Promise<{ result: T; tookMs: number }> {
  const startedMs = performance.now();
  const result = await work;
  return { result, tookMs: performance.now() - startedMs };
}

/** A streamed answer to its end, and whether that was one. */
async function streamed(
  caller: Caller,
  origin: string,
): Promise<{ status: number; bytes: number; cut: boolean }> {
  const answer = await request(`${origin}/api/debts`, { headers: { cookie: caller.cookie() } });
  let bytes = 0;
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) bytes += chunk.length;
    return { status: answer.statusCode, bytes, cut: false };
  } catch {
    return { status: answer.statusCode, bytes, cut: true };
  }
}

describe('an API that does not answer', () => {
  it.each(['GET', 'POST', 'DELETE'])(
    '[H09] is given up with 504 in time, asked once: %s',
    async (method) => {
      api.answerWith(never);
      const path = method === 'DELETE' ? '/api/debts/d1' : '/api/debts';
      const { result, tookMs } = await timed(
        hastyCaller.write(method, path, method === 'POST' ? '{}' : undefined),
      );
      expect([result.status, result.json['error']]).toEqual([504, 'getbill_timeout']);
      expect(tookMs).toBeGreaterThan(TIMEOUT_MS - 50);
      expect(tookMs).toBeLessThan(TIMEOUT_MS + SLACK_MS);
      expect(api.received).toHaveLength(1);
    },
  );

  it('[H09] is given up with a 504 page, too', async () => {
    api.answerWith(never);
    const { result, tookMs } = await timed(hastyCaller.read('/dashboard', { accept: 'text/html' }));
    expect([result.status, result.headers['content-type']]).toEqual([
      504,
      'text/html; charset=utf-8',
    ]);
    expect(tookMs).toBeLessThan(TIMEOUT_MS + SLACK_MS);
  });

  it.each<[string, (res: ServerResponse) => void]>([
    ['stops after its first bytes', (res) => void start(res).write(startOfJson(100))],
    ['announces more than it sends', (res) => void res.writeHead(200, { 'content-type': 'application/json', 'content-length': 500 }).write('{')], // prettier-ignore
    ['comes a byte at a time', (res) => trickle(start(res))],
  ])(
    '[H09] is given up with 504 as long as nothing was passed on: it %s',
    async (_name, answering) => {
      api.answerWith(answering);
      const { result, tookMs } = await timed(hastyCaller.read('/api/debts'));
      expect([result.status, result.json['error']]).toEqual([504, 'getbill_timeout']);
      expect(tookMs).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    },
  );

  it.each<[string, (res: ServerResponse) => void]>([
    ['stops', (res) => void start(res).write(startOfJson(200 * KIB))],
    ['goes on a byte at a time', (res) => {
      start(res).write(startOfJson(200 * KIB));
      trickle(res);
    }], // prettier-ignore
  ])('[H09] is cut off in time when its long answer %s', async (_name, answering) => {
    api.answerWith(answering);
    const { result, tookMs } = await timed(streamed(hastyCaller, hasty.origin));
    expect(result).toMatchObject({ status: 200, cut: true });
    expect(result.bytes).toBeGreaterThanOrEqual(64 * KIB);
    expect(tookMs).toBeLessThan(TIMEOUT_MS + SLACK_MS);
  });

  it('[H09] is cut off in time also when memory is collected meanwhile', async () => {
    api.answerWith((res) => {
      trickle(start(res));
      for (let turn = 1; turn <= 3; turn++) setTimeout(collectGarbage, 50 * turn);
    });
    const { result, tookMs } = await timed(hastyCaller.read('/api/debts'));
    expect(result.status).toBe(504);
    expect(tookMs).toBeLessThan(TIMEOUT_MS + SLACK_MS);
  });

  it('[H09] is given up with a 504 page when its long answer stops', async () => {
    api.answerWith((res) => void start(res).write(startOfJson(200 * KIB)));
    const { result, tookMs } = await timed(hastyCaller.read('/debts', { accept: 'text/html' }));
    expect(result.status).toBe(504);
    expect(tookMs).toBeLessThan(TIMEOUT_MS + SLACK_MS);
  });

  it('[H09] holds up nobody else: with 30 calls hanging, the app and other calls answer', async () => {
    api.answerWith((res, { url }) => (url.includes('hang') ? never() : json(res, 200, EMPTY_SUCCESS, { connection: 'close' }))); // prettier-ignore
    const sockets = Array.from({ length: 30 }, () => {
      const socket = openSocket(patient.origin);
      socket.write(
        rawRequest('GET', '/api/debts?hang', ['Host: x', `Cookie: ${patientCaller.cookie()}`]),
      );
      return socket;
    });
    await api.arrived(30);
    const { result, tookMs } = await timed(
      Promise.all([
        send(patient.origin, 'GET', '/healthz'),
        send(patient.origin, 'GET', '/readyz'),
        patientCaller.read('/session'),
        patientCaller.read('/api/debts'),
      ]),
    );
    expect(result.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(tookMs).toBeLessThan(SLACK_MS);
    for (const socket of sockets) socket.destroy();
    await api.callsEnded();
  });
});

describe('an API whose response keeps flowing', () => {
  const CHUNKS = 12;
  /** Three times as long as the deadline in all, never as long as it without a byte. */
  const flowing = (bytes: number) => (res: ServerResponse) => {
    start(res).write('{"data":"');
    let sent = 0;
    const timer = setInterval(() => {
      if ((sent += 1) <= CHUNKS) return void res.write('x'.repeat(bytes));
      clearInterval(timer);
      res.end('"}');
    }, TIMEOUT_MS / 4);
  };

  it.each([
    ['short', 100],
    ['long', 20 * KIB],
  ])('is heard out, however long it takes: a %s one', async (_name, bytes) => {
    api.answerWith(flowing(bytes));
    const { status, cut, bytes: received } = await streamed(hastyCaller, hasty.origin);
    expect([status, cut, received]).toEqual([200, false, CHUNKS * bytes + '{"data":""}'.length]);
    api.answerWith((res) => json(res, 200, EMPTY_SUCCESS, { connection: 'close' }));
    await hastyCaller.read('/api/debts');
  });

  it('is heard out by a browser that takes four times the deadline to read it', async () => {
    const size = 12 * 1024 * KIB;
    api.answerWith((res) => json(res, 200, Buffer.alloc(size, 'x'), { connection: 'close' }));
    const { body } = await request(`${hasty.origin}/api/debts`, {
      headers: { cookie: hastyCaller.cookie() },
    });
    let received = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      const before = Math.floor(received / (size / 12));
      received += chunk.length;
      if (Math.floor(received / (size / 12)) > before) await delay(TIMEOUT_MS / 3);
    }
    expect(received).toBe(size);
  });
});

describe('an API that ends the connection', () => {
  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])(
    '[immunity 24] instead of an answer is 502, asked once: %s',
    async (method) => {
      api.answerWith((res) => res.destroy());
      const path = method === 'POST' || method === 'GET' ? '/api/debts' : method === 'DELETE' ? '/api/debts/d1' : '/api/creditors/c1'; // prettier-ignore
      const answer = await patientCaller.write(method, path, method === 'GET' ? undefined : '{}');
      expect([answer.status, answer.json['error'], api.received.length]).toEqual([
        502,
        'getbill_unreachable',
        1,
      ]);
    },
  );

  it('[immunity 24] in the middle of a short answer to a POST is 502, and the POST is not sent again', async () => {
    api.answerWith((res) => void start(res).write('{"error":', () => res.destroy()));
    const answer = await patientCaller.write('POST', '/api/debts', '{"amount":1}');
    expect([answer.status, api.received.map(({ method }) => method)]).toEqual([502, ['POST']]);
  });

  it('[immunity 24] in the middle of a long answer cuts ours, so that nobody takes it for whole', async () => {
    api.answerWith((res) => void start(res).write(startOfJson(200 * KIB), () => res.destroy()));
    expect(await streamed(patientCaller, patient.origin)).toMatchObject({ status: 200, cut: true });
    expect(api.received).toHaveLength(1);
  });

  it('[immunity 24] after each of 20 bad answers leaves no connection behind', async () => {
    const bad: ((res: ServerResponse) => void)[] = [
      (res) => json(res, 500, '{"error":true}'),
      (res) => void res.writeHead(302, { location: '/' }).end(),
      (res) => json(res, 200, '<html>', { 'content-type': 'text/html' }),
      (res) => void res.writeHead(500, { 'content-type': 'application/json' }).write('{'),
    ];
    api.answerWith((res) => {
      res.setHeader('connection', 'close');
      bad[api.received.length % bad.length]?.(res);
    });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => patientCaller.read('/api/debts')),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(502));
    await api.callsEnded();
  });

  it('[H09] by not being there at all is 502', async () => {
    const gone = await startApiServer();
    await gone.close();
    const app = await startProxyApp({
      env: { GETBILL_API_URL: gone.apiUrl },
      sandbox: hasty.sandbox,
    });
    try {
      const answer = await (await signIn(app)).read('/api/debts');
      expect([answer.status, answer.json['error']]).toEqual([502, 'getbill_unreachable']);
    } finally {
      await app.close();
    }
  });
});

describe('a browser that leaves', () => {
  const call = (caller: Caller, target: string) =>
    rawRequest('GET', target, ['Host: x', `Cookie: ${caller.cookie()}`]);

  it('[H09] before the first byte ends the call to the API within a second', async () => {
    api.answerWith(never);
    const socket = openSocket(patient.origin);
    socket.write(call(patientCaller, '/api/debts'));
    await api.arrived(1);
    socket.destroy();
    const leftMs = performance.now();
    expect(((await api.received[0]?.connectionEnded) ?? NaN) - leftMs).toBeLessThan(1000);
  });

  it('[H09] in the middle of the answer ends the call to the API within a second', async () => {
    api.answerWith((res) => void start(res).write(startOfJson(300 * KIB)));
    const socket = openSocket(patient.origin);
    socket.write(call(patientCaller, '/api/debts'));
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    const leftMs = performance.now();
    expect(((await api.received[0]?.connectionEnded) ?? NaN) - leftMs).toBeLessThan(1000);
  });

  it('[immunity 24] 30 times, at any moment, leaves no connection behind', async () => {
    api.answerWith((res) => {
      if (api.received.length % 3 === 0) start(res).write(startOfJson(300 * KIB));
      else if (api.received.length % 3 === 1) start(res).write('{');
    });
    const logged = patient.logged().length;
    const sockets = Array.from({ length: 30 }, () => openSocket(patient.origin));
    for (const socket of sockets) socket.write(call(patientCaller, '/api/debts'));
    await api.arrived(30);
    for (const socket of sockets) socket.destroy();
    await api.callsEnded();
    await until(
      'the failures are logged',
      () => patient.logged().slice(logged).split('request failed').length > 30,
    );
  });

  it.each<[string, (res: ServerResponse) => void, string[]]>([
    ['before the first byte', never, ['browser_left']],
    ['in the middle of the answer', (res) => void start(res).write(startOfJson(300 * KIB)), []],
  ])(
    '[H09] %s is no fault of GetBill in the events, nor an error in the log',
    async (_name, answering, reasons) => {
      api.answerWith(answering);
      const [events, logged] = [patient.events.length, patient.logged().length];
      const socket = openSocket(patient.origin);
      socket.write(call(patientCaller, '/api/debts'));
      await api.arrived(1);
      if (reasons.length === 0) await new Promise((resolve) => socket.once('data', resolve));
      socket.destroy();
      await until('the failure is logged', () =>
        patient.logged().slice(logged).includes('request failed'),
      );
      const failed = patient.events.slice(events).filter(({ type }) => type === 'api_failed');
      expect(failed.map((event) => 'reason' in event && event.reason)).toEqual(reasons);
      const lines = patient.logged().slice(logged).split('\n');
      expect(lines.filter((line) => line.includes('"level":50'))).toEqual([]);
    },
  );

  it('[H09] while its token is being renewed costs no call to the API', async () => {
    const { control } = patient.sandbox;
    control.set({ accessTokenLifetimeS: 60 });
    const visitor = await signIn(patient);
    control.set({ token: [{ mode: 'hold' }] });
    patient.clock.skipMs(61_000);
    const renewed = new Promise<void>((resolve) => {
      patient.services.subscribe(({ type }) => void (type === 'token_refreshed' && resolve()));
    });
    const socket = openSocket(patient.origin);
    const leaving = ['Host: x', `Cookie: ${visitor.cookie()}`, 'X-Request-Id: leaving'];
    socket.write(rawRequest('GET', '/api/debts', leaving));
    await until('a call is held', () => control.state().held > 0);
    socket.destroy();
    await until('the request is logged', () => patient.logged().includes('"requestId":"leaving"')); // the app has seen it go
    control.release();
    await renewed;
    api.answerWith((res) => json(res, 200, EMPTY_SUCCESS, { connection: 'close' }));
    await visitor.read('/api/debts?later');
    expect(api.received.map(({ url }) => url)).toEqual(['/external-api/v1/debts?later']);
  });
});

describe('afterwards', () => {
  it('[immunity 24] no connection to the API is open', () => api.allEnded(), 10_000);
});

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

function trickle(res: ServerResponse): void {
  const timer = setInterval(() => res.write(' '), 40);
  res.once('close', () => clearInterval(timer));
}

import { EventEmitter, once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import ejs from 'ejs';
import { createCallSlots, type CallSlots } from '../../src/getbill/call-slots.js';
import { matchEndpoint, type Endpoint } from '../../src/getbill/endpoints.js';
import { createForward } from '../../src/getbill/forward.js';
import { pagesAtOnce } from '../../src/web/middleware/pages-at-once.js';
import { readBody } from '../../src/web/routes/api.js';
import type { TestApp } from '../support/test-app.js';
import { EMPTY_SUCCESS, json, startApiServer, type ApiServer } from './support/api-server.js';
import { send, signIn, startProxyApp, type Caller } from './support/caller.js';
import { openSocket, rawRequest } from './support/raw-http.js';
import { until } from '../support/until.js';

const REQUESTS = 300;

let api: ApiServer;
let app: TestApp;
let busy: Caller;
let other: Caller;
beforeAll(async () => {
  api = await startApiServer();
  app = await startProxyApp({
    env: { GETBILL_API_URL: api.apiUrl, GETBILL_TIMEOUT_MS: '60000', TRUST_PROXY: '1' },
  });
  [busy, other] = await Promise.all([signIn(app), signIn(app)]);
});
afterAll(async () => {
  await app.close();
  await api.close();
});
beforeEach(() => {
  api.received.length = 0;
});
afterEach(() => jest.restoreAllMocks());

/** GetBill answers nobody who asks for a page of debts. */
const slowListing = (): void =>
  api.answerWith((res, { url }) => {
    if (!url.includes('/debts?')) json(res, 200, EMPTY_SUCCESS, { connection: 'close' });
  });
const listings = (): number => api.received.filter(({ url }) => url.includes('/debts?')).length;

/** As browsers do, on a connection each. */
function load(caller: Caller, path: string, count: number, method = 'GET') {
  const sockets = Array.from({ length: count }, () => openSocket(app.origin));
  const heads: string[] = [];
  const headers = ['Host: localhost', 'Accept: text/html', `Cookie: ${caller.cookie()}`];
  for (const socket of sockets) {
    socket.on('data', (bytes) => heads.push(bytes.toString()));
    socket.write(rawRequest(method, path, headers));
  }
  return { heads, hangUp: () => sockets.forEach((socket) => socket.destroy()) };
}

type Framing = readonly [header: string, start: string];
const BY_LENGTH: Framing = ['Content-Length: 20000', '{"notes":'];
const IN_CHUNKS: Framing = ['Transfer-Encoding: chunked', '9\r\n{"notes":\r\n'];

/** Writes whose bodies do not end; what was asked for after them was answered. */
async function startBodies(caller: Caller, count: number, [framing, start] = BY_LENGTH) {
  const headers = [
    'Host: localhost',
    `Cookie: ${caller.cookie()}`,
    `X-CSRF-Token: ${caller.csrfToken}`,
    'Content-Type: application/json',
    framing,
  ];
  const sockets = Array.from({ length: count }, () => openSocket(app.origin));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  for (const socket of sockets) socket.write(rawRequest('POST', '/api/followups', headers, start));
  for (let times = 0; times < 2; times += 1) await caller.read('/session');
  return { hangUp: () => sockets.forEach((socket) => socket.destroy()) };
}

type ForwardDeps = Parameters<typeof createForward>[0];

/** A call over connections and places of the test. */
function callWith({
  open,
  acquire,
  monotonicMs = () => 0,
  apiUrl = 'https://getbill.example/api',
}: {
  open: ForwardDeps['upstream']['open'];
  acquire: CallSlots['acquire'];
  monotonicMs?: () => number;
  apiUrl?: string;
}) {
  const forward = createForward({
    config: { apiUrl: new URL(apiUrl), timeoutMs: 10_000 },
    upstream: { open },
    quota: { learn: () => undefined, block: () => Promise.resolve(1), left: () => 1 },
    slots: { acquire },
    emit: () => undefined,
    monotonicMs,
  });
  const { endpoint } = matchEndpoint('GET', '/debts') as { endpoint: Endpoint };
  const call = { endpoint, path: '/debts', query: '', requestId: 'r', caller: 'page' } as const;
  const renew = () => Promise.reject(new Error('is not called'));
  return () => forward(call, { grantId: 'g', accessToken: 'a', renew });
}

const jsonHead = (body: Buffer | Readable) =>
  Promise.resolve({ status: 200, headers: { 'content-type': 'application/json' }, body });

describe('300 requests of one session at a listing that does not come', () => {
  it.each([
    [
      'API calls: 32 under way, 128 wait',
      '/api/debts?page=1',
      32 + 128,
      'HTTP/1.1 503',
      '"too_many_open_calls"',
      'open_calls',
      '30',
    ],
    [
      'pages: 32 under way, none waits',
      '/debts',
      32,
      'HTTP/1.1 429',
      'Too much is being loaded at once',
      'open_pages',
      '1',
    ],
  ])(
    '%s; the others are refused with words, are counted, and others are served',
    async (_what, path, held, status, words, limit, waitS) => {
      slowListing();
      const { heads, hangUp } = load(busy, path, REQUESTS);
      const refusals = (): string[] => heads.filter((head) => head.startsWith(status));
      const answered = (): string[] => heads.filter((head) => head.startsWith('HTTP/1.1 '));
      await until('all others are refused', () => answered().length === REQUESTS - held); // some calls are 429: the share is used up, too
      expect(listings()).toBe(32);
      expect(refusals()[0]).toContain(`\r\nRetry-After: ${waitS}\r\n`);
      expect(heads.join('')).toContain(words);
      expect(app.events).toContainEqual({ type: 'rate_limited', limit });

      const served = await Promise.all([
        other.read('/api/debts'),
        other.read('/session'),
        send(app.origin, 'GET', '/healthz'),
      ]);
      expect(served.map(({ status }) => status)).toEqual([200, 200, 200]);

      hangUp();
      await api.callsEnded(); // those under way are ended, those that waited are never made
      await new Promise((resolve) => setImmediate(resolve));
      expect(listings()).toBe(32);
      expect((await busy.read('/session')).status).toBe(200);
      app.clock.skipMs(61_000); // a new minute of its share
    },
  );

  it('hold no more from four sessions behind one address than leaves others a way', async () => {
    slowListing();
    const sessions = await Promise.all([1, 2, 3, 4].map(() => signIn(app)));
    const loads = sessions.map((caller) => load(caller, '/api/debts?page=1', 40));
    await until('they have all that they get', () => listings() === 96);
    const elsewhere = { 'x-forwarded-for': '203.0.113.9' };
    expect((await other.read('/api/debts', elsewhere)).status).toBe(200);
    expect(listings()).toBe(96);
    for (const { hangUp } of loads) hangUp();
    await api.callsEnded();
    app.clock.skipMs(61_000);
  });

  it('leave the session as it was: the next page is shown', async () => {
    api.answerWith((res) => json(res, 200, EMPTY_SUCCESS, { connection: 'close' }));
    expect((await busy.read('/connection')).status).toBe(200);
  });

  it.each([
    ['/debts', '/debts?'],
    ['/debts/d1', '/debts/d1'],
    ['/dashboard', '/company/profile'], // its figures go on: they are kept for the next page
  ])(
    'end when their browser leaves, and no page is made for nobody: GET %s, which asks for %s',
    async (path, asked) => {
      app.clock.skipMs(61_000); // past the time a profile is cached for
      const held: ServerResponse[] = [];
      api.answerWith((res) => void held.push(res));
      const { hangUp } = load(other, path, 1);
      const call = () => api.received.find(({ url }) => url.includes(asked));
      await until('it is asked for', () => call() !== undefined);
      const before = app.logged().length;
      const rendered = jest.spyOn(ejs, 'renderFile');
      hangUp();
      await call()?.connectionEnded;
      await until('the request has ended', () =>
        app.logged().slice(before).includes('"code":"browser_left"'),
      );
      await nextTurn();
      expect(rendered).not.toHaveBeenCalled();
      api.answerWith((res) => json(res, 200, EMPTY_SUCCESS, { connection: 'close' }));
      for (const res of held) json(res, 200, EMPTY_SUCCESS, { connection: 'close' });
      await api.callsEnded();
    },
  );

  it('take no place when their browser has left already, which nobody would give back', async () => {
    const middleware = pagesAtOnce({ emit: () => undefined });
    const responses = (count: number, destroyed: boolean) =>
      Array.from({ length: count }, () =>
        Object.assign(new EventEmitter(), { destroyed, locals: { grantId: 'one' } }),
      );
    let begun = 0;
    for (const res of [...responses(40, true), ...responses(32, false)])
      await middleware({} as never, res as never, () => void (begun += 1));
    expect(begun).toBe(32);
  });

  describe('with large bodies', () => {
    const large = JSON.stringify({ notes: 'x'.repeat(20_000) });

    it.each([
      ['read', BY_LENGTH],
      ['read in chunks, of which nobody knows how many come,', IN_CHUNKS],
    ])(
      'are %s two at a time: one more waits until another has ended, or is gone',
      async (_how, framing) => {
        api.answerWith((res) => json(res, 200, EMPTY_SUCCESS, { connection: 'close' }));
        const { hangUp } = await startBodies(busy, 2, framing);
        const third = busy.write('POST', '/api/followups', large);
        const served = await Promise.all([
          other.write('POST', '/api/followups', large),
          busy.write('POST', '/api/followups', '{}'),
        ]);
        expect(served.map(({ status }) => status)).toEqual([200, 200]);
        expect(api.received).toHaveLength(2);
        hangUp();
        expect((await third).status).toBe(200);
      },
    );

    it('give their places back when all hang up at once, those that wait too', async () => {
      api.answerWith((res) => json(res, 200, EMPTY_SUCCESS, { connection: 'close' }));
      for (let times = 0; times < 5; times += 1) (await startBodies(busy, 20)).hangUp();
      const writes = Array.from({ length: 8 }, () => busy.write('POST', '/api/followups', large));
      expect((await Promise.all(writes)).map(({ status }) => status)).toEqual(Array(8).fill(200));
    });

    describe('on a clock of the test', () => {
      beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] }));
      afterEach(() => jest.useRealTimers());

      const facts = {
        read: (grantId: string) =>
          Promise.resolve({ company: grantId.split(' ')[0], withheld: [] }),
      };

      function begin(grantId = 'one'): { isBegun: boolean; leave: () => void } {
        const headers = { 'content-length': '20000', 'content-type': 'text/plain' }; // not read any further
        const get = (name: string) => (headers as Record<string, string>)[name];
        const locals = { grantId };
        const res = Object.assign(new EventEmitter(), { destroyed: false, locals });
        const leave = (): void => {
          res.destroyed = true;
          res.emit('close');
        };
        const write = { isBegun: false, leave };
        const begun = () => void (write.isBegun = true);
        void middleware({ method: 'POST', headers, get } as never, res as never, begun);
        return write;
      }

      let middleware: ReturnType<typeof readBody>;
      let writes: ReturnType<typeof begin>[];
      const areBegun = () => writes.map(({ isBegun }) => isBegun);
      beforeEach(async () => {
        middleware = readBody({ emit: () => undefined, facts });
        writes = Array.from({ length: 4 }, () => begin());
        await nextTurn();
        expect(areBegun()).toEqual([true, true, false, false]);
        writes[0]?.leave();
      });

      it('give their place to another a tenth of a second after their end', async () => {
        jest.advanceTimersByTime(99);
        await nextTurn();
        expect(areBegun()).toEqual([true, true, false, false]);
        jest.advanceTimersByTime(1);
        await nextTurn();
        expect(areBegun()).toEqual([true, true, true, false]);
      });

      it('of one company leave a quarter of all places to others, however many sessions it has', async () => {
        middleware = readBody({ emit: () => undefined, facts });
        writes = Array.from({ length: 130 }, (_, index) => begin(`one ${index}`));
        const other = begin('two');
        await nextTurn();
        expect(areBegun().filter(Boolean)).toHaveLength(96);
        expect(other.isBegun).toBe(true);
      });

      it('give a place back whose turn comes in the moment in which the browser leaves', async () => {
        jest.advanceTimersByTime(100);
        writes[2]?.leave();
        await nextTurn();
        expect(areBegun()).toEqual([true, true, false, true]);
      });
    });

    it('are at GetBill two at a time: one more goes on when another is answered', async () => {
      const answers: (() => void)[] = [];
      api.answerWith((res, { body }) => {
        const answer = () => json(res, 200, EMPTY_SUCCESS, { connection: 'close' });
        if (body.length < 20_000) answer();
        else answers.push(answer);
      });
      const writes = Array.from({ length: 4 }, () => busy.write('POST', '/api/followups', large));
      await until('two are there', () => answers.length === 2);
      expect((await busy.write('POST', '/api/followups', '{}')).status).toBe(200);
      expect(answers).toHaveLength(2);
      answers.shift()?.();
      await until('a third is there', () => answers.length === 2);
      answers.shift()?.();
      await until('the fourth is there', () => answers.length === 2);
      for (const answer of answers) answer();
      expect((await Promise.all(writes)).map(({ status }) => status)).toEqual(Array(4).fill(200));
    });
  });

  it('that waited for a place have less time to begin, and as long a silence in their body', async () => {
    let nowMs = 0;
    const asked: { timeoutMs: number; idleMs?: number }[] = [];
    const call = callWith({
      open: (_target, request) => {
        asked.push(request);
        return jsonHead(Buffer.from(EMPTY_SUCCESS));
      },
      acquire: () => {
        nowMs += 4_000;
        return Promise.resolve(() => undefined);
      },
      monotonicMs: () => nowMs,
    });
    await call();
    expect(asked).toMatchObject([{ timeoutMs: 6_000, idleMs: 10_000 }]);
  });

  it.each(['', '/'])('are made below an address that ends with "%s"', async (end) => {
    const paths: string[] = [];
    const open: ForwardDeps['upstream']['open'] = ({ pathname }) => {
      paths.push(pathname);
      return jsonHead(Buffer.from(EMPTY_SUCCESS));
    };
    const acquire = () => Promise.resolve(() => undefined);
    await callWith({ open, acquire, apiUrl: `https://getbill.example/api${end}` })();
    expect(paths).toEqual(['/api/debts']);
  });

  it('hold their place until the last byte of their body, or until they fail', async () => {
    let held = 0;
    const acquire = () => Promise.resolve(((held += 1), () => void (held -= 1)));
    const long = Readable.from([Buffer.from(EMPTY_SUCCESS)]);
    await callWith({ open: () => jsonHead(Buffer.from(EMPTY_SUCCESS)), acquire })();
    expect(held).toBe(0);
    await expect(callWith({ open: () => Promise.reject(new Error('x')), acquire })()).rejects.toThrow('x'); // prettier-ignore
    expect(held).toBe(0);
    await callWith({ open: () => jsonHead(long), acquire })();
    expect(held).toBe(1);
    await once(long.resume(), 'close');
    expect(held).toBe(0);
  });

  it('end when their browser leaves: HEAD', async () => {
    slowListing();
    const { hangUp } = load(other, '/debts', 1, 'HEAD');
    await api.arrived(1);
    hangUp();
    await api.callsEnded();
  });

  it('end when their browser leaves in the wait for a renewal, which goes on', async () => {
    const { control } = app.sandbox;
    api.answerWith((res) => json(res, 401, '{"error":true,"code":401}', { connection: 'close' }));
    control.set({ token: [{ mode: 'hold' }] });
    const failures = app.events.length;
    const before = app.logged().length;
    const renewed = new Promise<void>((resolve) => {
      app.services.subscribe(({ type }) => void (type === 'token_refreshed' && resolve()));
    });
    const { hangUp } = load(other, '/debts', 1);
    await until('a renewal is held', () => control.state().held > 0);
    hangUp();
    await until('the browser has left', () =>
      app.logged().slice(before).includes('"code":"browser_left"'),
    );
    api.received.length = 0;
    control.release();
    await renewed;
    expect(app.events.slice(failures).some(({ type }) => type === 'api_replayed')).toBe(false);
    expect(api.received).toEqual([]);
  });
});

describe('the slots for open calls', () => {
  const slotsOf = (limits: Partial<Parameters<typeof createCallSlots>[0]>): CallSlots =>
    createCallSlots({ total: 2, perSession: 2, waitingPerSession: 10, maxWaitMs: 60_000, emit: () => undefined, ...limits }); // prettier-ignore

  it('go to sessions in turn, not to the one that asked most', async () => {
    const slots = slotsOf({});
    const first = await Promise.all([slots.acquire('greedy'), slots.acquire('greedy')]);
    const order: string[] = [];
    const acquire = async (key: string): Promise<void> => {
      const release = await slots.acquire(key);
      order.push(key);
      setImmediate(release);
    };
    const all = ['greedy', 'greedy', 'greedy', 'modest', 'quiet'].map(acquire);
    for (const release of first) release();
    await Promise.all(all);
    expect(order.slice(0, 3).sort()).toEqual(['greedy', 'modest', 'quiet']);
  });

  it('are never all of one owner, however many sessions are his', async () => {
    const slots = slotsOf({ total: 4, perOwner: 3 });
    const acquire = (session: string, owner: string) => slots.acquire(session, undefined, owner);
    const [first] = await Promise.all(['a', 'a', 'b'].map((key) => acquire(key, 'one')));
    const fourth = acquire('c', 'one');
    const other = await acquire('d', 'another');
    const order: string[] = [];
    void fourth.then(() => order.push('fourth'));
    other();
    await nextTurn();
    expect(order).toEqual([]); // what another has given back is not his
    first?.();
    await fourth;
    await acquire('d', 'another');
  });

  const hasBegun = async (call: Promise<unknown>): Promise<boolean> => {
    const begun = call.then(() => true);
    return await Promise.race([begun, nextTurn().then(() => false)]);
  };

  it('are counted for a session whose calls all had to wait, too', async () => {
    const slots = slotsOf({ total: 3, perSession: 1 });
    const first = await slots.acquire('a');
    const second = slots.acquire('a');
    first();
    await second;
    expect(await hasBegun(slots.acquire('a'))).toBe(false);
    expect(await hasBegun(slots.acquire('b'))).toBe(true);
  });

  it('are counted for the owner that a session has now', async () => {
    const slots = slotsOf({ total: 4, perOwner: 2 });
    await Promise.all([1, 2].map(() => slots.acquire('a', undefined, 'one')));
    await slots.acquire('b'); // its company is not known yet
    expect(await hasBegun(slots.acquire('b', undefined, 'one'))).toBe(false);
  });

  it('are all free again after any mix of calls, leavers and late ones', async () => {
    const slots = slotsOf({ maxWaitMs: 5 });
    const leaving = new AbortController();
    const calls = Array.from({ length: 30 }, async (_, index) => {
      const signal = index % 3 === 0 ? leaving.signal : undefined;
      const release = await slots.acquire(`session ${index % 4}`, signal);
      await new Promise((resolve) => setTimeout(resolve, index % 5));
      release();
      release(); // harmless
    });
    leaving.abort();
    await Promise.allSettled(calls);
    const held = await Promise.all([slots.acquire('a'), slots.acquire('a')]);
    expect(held).toHaveLength(2);
    await expect(slots.acquire('b')).rejects.toMatchObject({
      code: 'too_many_open_calls',
      status: 503,
      retryAfterS: 1,
    });
  });
});

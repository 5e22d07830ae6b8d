import { createHash } from 'node:crypto';
import type { ApiFault } from '../../sandbox/faults.js';
import type { TestApp } from '../support/test-app.js';
import { json, startApiServer } from './support/api-server.js';
import { signIn, startProxyApp, type Caller } from './support/caller.js';
import { until } from '../support/until.js';

let app: TestApp;
let caller: Caller;
beforeAll(async () => {
  app = await startProxyApp({ faults: { createStatus: 201 } });
});
afterAll(() => app.close());
beforeEach(async () => {
  app.sandbox.control.reset();
  caller = await signIn(app);
  app.sandbox.control.reset();
  app.sandbox.control.clearRequests();
});

const counters = () => app.sandbox.control.state().counters;
const apiDoes = (...api: ApiFault[]) => app.sandbox.control.set({ api });
const calls = () =>
  app.sandbox.control.requests().filter(({ url }) => url.startsWith('/external-api/'));
const tokensSent = (): (string | undefined)[] =>
  calls().map(
    ({ rawHeaders }) =>
      rawHeaders[rawHeaders.findIndex((name) => /^authorization$/i.test(name)) + 1],
  );

const SOME_JSON = JSON.stringify({ amount: 'many', note: 'é'.repeat(1000) });
const MIB_OF_JSON = JSON.stringify({ amount: 'x'.repeat(1024 * 1024 - 13) });

describe('a token that the API rejects once', () => {
  it.each<[string, string, string | undefined]>([
    ['GET', '/api/debts?page=2', undefined],
    ['POST', '/api/debts', SOME_JSON],
    ['POST', '/api/debts', MIB_OF_JSON],
    ['PUT', '/api/debts/d1', SOME_JSON],
    ['PATCH', '/api/creditors/c1', SOME_JSON],
    ['DELETE', '/api/debts/d1', undefined],
  ])('is renewed once, and the call made again as it was: %s %s', async (method, path, body) => {
    apiDoes({ mode: 'unauthorized' });
    const answer = await caller.write(method, path, body);
    expect(answer.status).not.toBe(401);
    expect(counters()).toMatchObject({
      apiCalls: 2,
      apiUnauthorized: 1,
      refreshOk: 1,
      refreshReuse: 0,
    });
    const [first, second] = calls();
    const hash = body === undefined ? '' : createHash('sha256').update(body).digest('hex');
    const sent = { method, url: path.replace('/api', '/external-api/v1'), bodySha256: hash };
    expect(first).toMatchObject(sent);
    expect(second).toMatchObject(sent);
    expect(tokensSent()[0]).not.toBe(tokensSent()[1]);
  });

  it('is renewed by the app alone: the browser sees nothing of it, and goes on', async () => {
    apiDoes({ mode: 'unauthorized' });
    const answers = [
      await caller.read('/api/company/profile'),
      await caller.read('/api/company/profile'),
    ];
    expect(answers.map(({ status, headers }) => [status, headers['set-cookie']])).toEqual(Array(2).fill([200, undefined])); // prettier-ignore
    expect(tokensSent()).toEqual([expect.any(String), tokensSent()[1], tokensSent()[1]]);
  });

  it('is renewed once for 20 calls that meet the rejection together, and all are answered', async () => {
    const isWrite = (index: number): boolean => index % 4 === 0;
    apiDoes({ mode: 'hold', times: 20 });
    const asked = Array.from({ length: 20 }, (_, index) =>
      isWrite(index) ? caller.write('DELETE', '/api/debts/d1') : caller.read('/api/debts'),
    );
    await until('twenty calls are held', () => app.sandbox.control.state().held === 20);
    app.sandbox.control.expireAccessTokens();
    app.sandbox.control.release();
    const answers = await Promise.all(asked);
    expect(answers.map(({ status }) => status)).toEqual(
      asked.map((_, index) => (isWrite(index) ? 404 : 200)),
    );
    expect(counters()).toMatchObject({
      apiCalls: 40,
      apiUnauthorized: 20,
      refreshOk: 1,
      refreshReuse: 0,
    });
  });

  it('is renewed as well when the rejection has no body', async () => {
    apiDoes({ mode: 'rawBody', status: 401, body: '', contentType: '' });
    expect((await caller.read('/api/company/profile')).status).toBe(200);
    expect(counters()).toMatchObject({ apiCalls: 2, refreshOk: 1 });
  });

  it('[immunity 24] is renewed without leaving the connection of a long rejection open', async () => {
    const api = await startApiServer();
    const own = await startProxyApp({
      env: { GETBILL_API_URL: api.apiUrl, GETBILL_TIMEOUT_MS: '60000' },
      sandbox: app.sandbox,
    });
    try {
      const visitor = await signIn(own);
      api.answerWith((res) => {
        const [rejected, again] = api.received;
        if (again !== undefined)
          return void rejected?.connectionEnded.then(() => json(res, 200, '{"error":false}'));
        res
          .writeHead(401, { 'content-type': 'application/json' })
          .write(`{"message":"${'x'.repeat(200_000)}`);
      });
      expect((await visitor.read('/api/debts')).status).toBe(200); // which the API says when the first connection has ended
    } finally {
      await own.close();
      await api.close();
    }
  });
});

describe('a 401 that is no JSON', () => {
  it.each<[string, ApiFault]>([
    ["a gateway's page", { mode: 'html', status: 401 }],
    ['a text', { mode: 'rawBody', status: 401, contentType: 'text/plain', body: 'no' }],
    ['broken JSON', { mode: 'rawBody', status: 401, contentType: 'application/json', body: '{' }],
  ])(
    'is a rejected token as well: renewed, and the call made once more: %s',
    async (_name, fault) => {
      apiDoes(fault);
      expect((await caller.read('/api/company/profile')).status).toBe(200);
      expect(counters()).toMatchObject({ apiCalls: 2, refreshOk: 1 });
    },
  );

  it('is passed on without its body when the newer token is rejected, too', async () => {
    apiDoes({ mode: 'html', status: 401, times: 0 });
    const { status, headers, bytes } = await caller.read('/api/company/profile');
    expect([status, headers['content-type'], bytes.length]).toEqual([401, undefined, 0]);
  });
});

describe('a token that the API rejects for ever', () => {
  it('costs two calls and one renewal, then is 401 JSON; and nobody is signed out', async () => {
    apiDoes({ mode: 'unauthorized', times: 0 });
    const answer = await caller.write('POST', '/api/debts', SOME_JSON);
    expect(answer.status).toBe(401);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.json).toMatchObject({ error: true, code: 401 });
    expect(counters()).toMatchObject({ apiCalls: 2, refreshOk: 1 });
    apiDoes();
    expect((await caller.read('/api/company/profile')).status).toBe(200);
  });

  it('is a 502 page, not a way round to sign in', async () => {
    apiDoes({ mode: 'unauthorized', times: 0 });
    const answer = await caller.read('/dashboard', {
      accept: 'text/html',
      'sec-fetch-mode': 'navigate',
    });
    expect([answer.status, answer.headers['location']]).toEqual([502, undefined]);
    expect(counters().apiByPath['/company/profile']).toBe(2);
    expect(counters().refreshOk).toBe(1);
  });

  it('is 401 JSON with the sign-in address once GetBill refuses to renew it', async () => {
    app.sandbox.control.revokeGrants();
    const cookie = caller.cookie();
    const answer = await caller.read('/api/company/profile');
    expect([answer.status, answer.json]).toEqual([401, expect.objectContaining({ error: 'grant_ended', login_url: '/login' })]); // prettier-ignore
    expect(String(answer.headers['set-cookie'])).toMatch(
      /^gb-session-\d+=;.*Expires=Thu, 01 Jan 1970/,
    );
    expect(counters()).toMatchObject({ apiCalls: 1, refreshRefused: 1 });
    expect((await caller.call('GET', '/api/debts', { headers: { cookie } })).json['error']).toBe(
      'not_signed_in',
    );
    expect(counters().apiCalls).toBe(1);
  });

  it('is 503 with Retry-After while GetBill cannot renew it; the call is not made again, nobody is signed out', async () => {
    apiDoes({ mode: 'unauthorized' });
    app.sandbox.control.set({ token: [{ mode: 'status', status: 503, retryAfterS: 7 }] });
    const answer = await caller.write('POST', '/api/debts', SOME_JSON);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '7']);
    expect(counters().apiCalls).toBe(1);
    app.clock.skipMs(8_000);
    expect((await caller.read('/api/company/profile')).status).toBe(200);
  });
});

describe('a write', () => {
  it.each<[string, ApiFault, number]>([
    ['is cut in the middle of its answer', { mode: 'cut', afterBytes: 10 }, 502],
    ['is cut before its answer', { mode: 'drop' }, 502],
    ['is answered 500', { mode: 'status', status: 500 }, 502],
    ['is answered 503', { mode: 'status', status: 503 }, 502],
    ['is answered 429', { mode: 'rateLimited', retryAfterS: 1 }, 429],
    ['is answered 408', { mode: 'status', status: 408, body: { error: true, code: 408 } }, 502],
    ['is answered by a firewall', { mode: 'html', status: 403 }, 502],
    ['is redirected', { mode: 'redirect', status: 307, location: '/external-api/v1/debts' }, 502],
  ])('is never sent twice when it %s', async (_name, fault, status) => {
    apiDoes(fault);
    const answer = await caller.write('POST', '/api/debts', SOME_JSON);
    app.clock.skipMs(2_000);
    expect([answer.status, calls().map(({ method }) => method), counters().refreshOk]).toEqual([
      status,
      ['POST'],
      0,
    ]);
  });

  it('is not sent a third time when its answer is cut after the token was renewed', async () => {
    apiDoes({ mode: 'unauthorized' }, { mode: 'cut', afterBytes: 10 });
    const answer = await caller.write('POST', '/api/debts', SOME_JSON);
    expect([answer.status, calls().map(({ method }) => method)]).toEqual([502, ['POST', 'POST']]);
  });
});

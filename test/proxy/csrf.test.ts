import type { TestApp } from '../support/test-app.js';
import { send, signIn, startProxyApp, type Caller } from './support/caller.js';
import { exchange, rawRequest } from './support/raw-http.js';

let app: TestApp;
let caller: Caller;
let other: Caller;
beforeAll(async () => {
  app = await startProxyApp();
  caller = await signIn(app);
  other = await signIn(app);
});
afterAll(() => app.close());

const DEBT = JSON.stringify({
  firstname: 'A',
  lastname: 'B',
  amount: 1,
  currency: 'EUR',
  email: 'a@b.example',
});
const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };

/** What must not have moved: calls at the API, and whether the session lives. */
async function untouched(work: () => Promise<void>): Promise<void> {
  const before = app.sandbox.control.state().counters.apiCalls;
  await work();
  expect(app.sandbox.control.state().counters.apiCalls).toBe(before);
  expect((await caller.read('/session')).status).toBe(200);
}

const post = (headers: Record<string, string>, path = '/api/debts') =>
  caller.call('POST', path, { headers: { ...JSON_TYPE, ...headers }, body: DEBT });

describe('a write to the API', () => {
  it.each([
    ['no token', {}],
    ['an empty token', { 'x-csrf-token': '' }],
    ['a random token', { 'x-csrf-token': 'eM3xU4dZ-kJ9s0Yw2mPqvB1tR8hN6cLaG5fD' }],
    ['10 KB of token', { 'x-csrf-token': 'x'.repeat(10_000) }],
  ])('[D01] is refused with %s', async (_name, headers) => {
    await untouched(async () => {
      const answer = await post(headers);
      expect([answer.status, answer.json['error']]).toEqual([403, 'csrf']);
    });
  });

  it('[D01] is refused with the right token sent twice, as a list', async () => {
    await untouched(async () => {
      const token = `X-CSRF-Token: ${caller.csrfToken}`;
      const headers = ['Host: x', `Cookie: ${caller.cookie()}`, token, token, 'Content-Type: application/json', 'Content-Length: 2', 'Connection: close']; // prettier-ignore
      const answer = await exchange(app.origin, rawRequest('POST', '/api/debts', headers, '{}'));
      expect(answer.status).toBe(403);
    });
  });

  it.each(['PUT', 'PATCH', 'DELETE'])(
    '[D01] is refused without a token by %s as well',
    async (method) => {
      await untouched(async () => {
        const answer = await caller.call(method, '/api/debts/d1', {
          headers: JSON_TYPE,
          body: DEBT,
        });
        expect([answer.status, answer.json['error']]).toEqual([403, 'csrf']);
      });
    },
  );

  it("[D02] is refused with another session's token, also while that session lives", async () => {
    await untouched(async () =>
      expect((await post({ 'x-csrf-token': other.csrfToken })).status).toBe(403),
    );
  });

  it('[D02] is refused with the right token in the query, in the body or in a cookie', async () => {
    await untouched(async () => {
      const token = caller.csrfToken;
      const inBody = { headers: JSON_TYPE, body: JSON.stringify({ _csrf: token }) };
      const answers = [
        await post({}, `/api/debts?_csrf=${encodeURIComponent(token)}`),
        await post({ cookie: `${caller.cookie()}; _csrf=${token}; XSRF-TOKEN=${token}` }),
        await caller.call('POST', '/api/debts', inBody),
      ];
      expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
    });
  });

  it("[D02] is refused with the token of this browser's session before the present one", async () => {
    const returning = await signIn(app);
    const earlier = returning.csrfToken;
    await returning.browser.signOut();
    await returning.browser.signIn();
    const headers = { ...JSON_TYPE, 'x-csrf-token': earlier };
    expect((await returning.call('POST', '/api/debts', { headers, body: DEBT })).status).toBe(403);
  });

  it('[D02] goes through with its own token', async () => {
    expect((await post({ 'x-csrf-token': caller.csrfToken })).status).toBe(201);
  });
});

const foreign = [
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { origin: 'https://evil.example' },
  { origin: 'null', 'sec-fetch-site': 'cross-site' },
  { origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' },
];

describe('a write that says it comes from elsewhere', () => {
  it.each(foreign)('[D04] is refused even with a good token: %j', async (headers) => {
    await untouched(async () => {
      const token = { 'x-csrf-token': caller.csrfToken };
      const answer = await post({ ...token, ...(headers as Record<string, string>) });
      expect([answer.status, answer.json['error']]).toEqual([403, 'foreign_origin']);
    });
  });

  it('[D04] is refused for an origin that merely starts like ours, or differs in scheme or port', async () => {
    const { host, hostname } = new URL(app.publicUrl);
    await untouched(async () => {
      for (const origin of [
        `http://${host}.evil.example`,
        `https://${host}`,
        `http://${hostname}:1`,
        `http://${hostname}`,
      ]) {
        // prettier-ignore
        const answer = await post({ 'x-csrf-token': caller.csrfToken, origin });
        expect([origin, answer.status]).toEqual([origin, 403]);
      }
    });
  });

  it('[D04] goes through when it says it is ours, or says nothing', async () => {
    const token = { 'x-csrf-token': caller.csrfToken };
    for (const own of [
      { origin: app.publicUrl, 'sec-fetch-site': 'same-origin' },
      { origin: app.publicUrl },
      {},
    ]) {
      expect((await post({ ...token, ...own })).status).toBe(201);
    }
  });
});

describe('signing out', () => {
  const form = (
    token: string | undefined,
    headers: Record<string, string> = {},
    path = '/logout',
  ) =>
    caller.call('POST', path, {
      headers: { ...FORM_TYPE, ...headers },
      body: token === undefined ? '' : new URLSearchParams({ _csrf: token }).toString(),
    });

  it.each([
    ['no token', () => form(undefined)],
    ['an empty token', () => form('')],
    ['a random token', () => form('eM3xU4dZ-kJ9s0Yw2mPqvB1tR8hN6cLaG5fD')],
    ["another session's token", () => form(other.csrfToken)],
    ['10 KB of token', () => form('x'.repeat(10_000))],
    [
      'the token in the query',
      () => form(undefined, {}, `/logout?_csrf=${encodeURIComponent(caller.csrfToken)}`),
    ],
    ['the token twice, as a list', () => caller.call('POST', '/logout', { headers: FORM_TYPE, body: `_csrf=${caller.csrfToken}&_csrf=${caller.csrfToken}` })], // prettier-ignore
  ])('[D01] does not happen with %s', async (_name, attempt) => {
    await untouched(async () => expect((await attempt()).status).toBe(403));
  });

  it.each(foreign)(
    '[D04] does not happen from elsewhere, even with a good token: %j',
    async (headers) => {
      await untouched(async () => {
        expect((await form(caller.csrfToken, headers as Record<string, string>)).status).toBe(403);
      });
    },
  );

  it('[D02] happens with the own token, in the form or in the header', async () => {
    const [inForm, inHeader] = [await signIn(app), await signIn(app)];
    const formBody = new URLSearchParams({ _csrf: inForm.csrfToken }).toString();
    const answers = [
      await inForm.call('POST', '/logout', { headers: FORM_TYPE, body: formBody }),
      await inHeader.write('POST', '/logout'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([303, 303]);
    expect((await inForm.read('/session')).status).toBe(401);
    expect((await inHeader.read('/session')).status).toBe(401);
  });
});

describe('what a plain form or another site can send', () => {
  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=b',
    'text/json',
  ])('[D06] does not reach the API as %s: 403 without a token, 415 with one', async (type) => {
    await untouched(async () => {
      const bare = await caller.call('POST', '/api/debts', {
        headers: { 'content-type': type },
        body: DEBT,
      });
      const withToken = await caller.write('POST', '/api/debts', DEBT, { 'content-type': type });
      expect([bare.status, withToken.status]).toEqual([403, 415]);
    });
  });

  it('[D06] gets no answer to a preflight that would open a path to the API', async () => {
    const headers = {
      origin: 'https://evil.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'x-csrf-token, content-type',
      'access-control-request-private-network': 'true',
    };
    for (const path of [
      '/',
      '/login',
      '/session',
      '/logout',
      '/dashboard',
      '/api/debts',
      '/healthz',
      '/nowhere',
    ]) {
      const answers = [
        await send(app.origin, 'OPTIONS', path, { headers }),
        await caller.call('OPTIONS', path, { headers }),
        await caller.read(path, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }),
      ];
      for (const answer of answers) {
        const opened = Object.keys(answer.headers).filter((name) =>
          name.startsWith('access-control-'),
        );
        expect([path, opened]).toEqual([path, []]);
      }
    }
    const before = app.sandbox.control.state().counters.apiCalls;
    expect((await caller.call('OPTIONS', '/api/debts', { headers })).status).toBe(405);
    expect(app.sandbox.control.state().counters.apiCalls).toBe(before);
  });
});

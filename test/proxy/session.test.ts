import { cookieNames } from '../support/sign-in.js';
import { companyProfiles } from '../../sandbox/api/data/companies.js';
import type { TestApp } from '../support/test-app.js';
import { send, signIn, startProxyApp } from './support/caller.js';

let app: TestApp;
beforeAll(async () => {
  app = await startProxyApp({ faults: { consent: 'ask' } });
});
afterAll(() => app.close());

const apiCalls = (): number => app.sandbox.control.state().counters.apiCalls;

const SIGN_IN_FIRST = { error: 'not_signed_in', login_url: '/login' };

describe('a call without a session', () => {
  it.each([
    ['no cookie', undefined],
    ['an unknown session', 'SESSION=s%3Aunknown.c2lnbmF0dXJl'],
    ['a cookie that is not one of ours', 'SESSION=x'],
  ])(
    '[H01] is answered 401 JSON with the sign-in address, and not sent on: %s',
    async (_name, template) => {
      const cookie = template?.replace('SESSION', cookieNames(app).session);
      const before = apiCalls();
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        const answer = await send(app.origin, method, '/api/debts', { headers: { accept: 'text/html', ...(cookie && { cookie }) } }); // prettier-ignore
        expect([answer.status, answer.headers['location']]).toEqual([401, undefined]);
        expect(answer.headers['content-type']).toMatch(/^application\/json/);
        expect(answer.json).toMatchObject(SIGN_IN_FIRST);
      }
      expect(apiCalls()).toBe(before);
    },
  );

  it('[H01] is answered the same once the session has expired', async () => {
    const caller = await signIn(app);
    expect((await caller.read('/api/company/profile')).status).toBe(200);
    const before = apiCalls();
    app.clock.skipMs(1_861_000); // half an hour, and the minute in which a session is not touched again
    const answer = await caller.read('/api/company/profile');
    expect(answer.status).toBe(401);
    expect(answer.json).toMatchObject(SIGN_IN_FIRST);
    expect(apiCalls()).toBe(before);
  });

  it('[H01] is answered the same once the session was signed out, and is never revived', async () => {
    const caller = await signIn(app);
    const cookie = caller.cookie();
    await caller.browser.signOut();
    const before = apiCalls();
    const answer = await send(app.origin, 'GET', '/api/company/profile', { headers: { cookie } });
    expect([answer.status, answer.json['login_url'], apiCalls()]).toEqual([401, '/login', before]);
  });

  it('[D03] has no method of its own in the query or in a header', async () => {
    const caller = await signIn(app);
    const before = apiCalls();
    const overridden = await caller.read('/api/debts/d1?_method=DELETE', {
      'x-http-method-override': 'DELETE',
    });
    expect(overridden.status).toBe(404);
    expect(app.sandbox.control.requests().at(-1)).toMatchObject({ method: 'GET' });
    expect(apiCalls()).toBe(before + 1);
  });
});

describe('only a person going to a page is redirected to sign in', () => {
  const accepts = ['text/html,application/xhtml+xml,*/*;q=0.8', '*/*', 'application/json'];
  const modes = [
    { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
    { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
    { 'sec-fetch-mode': 'same-origin', 'sec-fetch-dest': 'empty' },
    { 'sec-fetch-mode': 'websocket', 'sec-fetch-dest': 'empty' },
    { 'x-requested-with': 'XMLHttpRequest' },
    {},
  ];

  function isNavigation(
    method: string,
    path: string,
    accept: string,
    mode: Record<string, string>,
  ): boolean {
    if (method !== 'GET' || path !== '/dashboard') return false;
    if (Object.keys(mode).length === 0) return accept.includes('html');
    return mode['sec-fetch-mode'] === 'navigate' && mode['sec-fetch-dest'] === 'document';
  }

  it.each(['GET', 'HEAD', 'POST', 'DELETE'])(
    '[immunity 23] whatever a %s accepts and says of itself',
    async (method) => {
      for (const path of ['/dashboard', '/api/company/profile']) {
        for (const accept of accepts) {
          for (const mode of modes) {
            if (accept === '*/*' && Object.keys(mode).length === 0) continue; // neither header tells
            const answer = await send(app.origin, method, path, { headers: { accept, ...mode } });
            const row = [method, path, accept, mode];
            const redirected = [
              answer.status >= 300 && answer.status < 400,
              answer.headers['location'] !== undefined,
            ];
            const expected = isNavigation(method, path, accept, mode);
            expect([...row, ...redirected]).toEqual([...row, expected, expected]);
            if (path.startsWith('/api')) {
              expect([...row, answer.status]).toEqual([...row, 401]);
              if (method !== 'HEAD') expect(answer.json).toMatchObject(SIGN_IN_FIRST);
            }
          }
        }
      }
    },
  );
});

describe('two signed-in users', () => {
  it('[H01] never cross in 200 interleaved calls: company and token are always the own', async () => {
    const [first, second] = companyProfiles.map(({ name }) => name) as [string, string];
    const users = [
      { name: first, caller: await signIn(app, { company: first }) },
      { name: second, caller: await signIn(app, { company: second }) },
    ] as const;
    app.sandbox.control.clearRequests();
    const seen = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const { name, caller } = users[index % users.length] ?? users[0];
        // The answer's request number is ours, and the API gets it too: that tells which call carried which token.
        const number = `${index % users.length}-${index}`;
        const answer = await caller.read('/api/company/profile', { 'x-request-id': number });
        return { wanted: name, got: (answer.json['data'] as { name: string }).name };
      }),
    );
    expect(seen.filter(({ wanted, got }) => wanted !== got)).toEqual([]);

    const tokensByUser = new Map<string, Set<string>>();
    for (const { rawHeaders } of app.sandbox.control.requests()) {
      const user = valueOf(rawHeaders, 'x-request-id').slice(0, 1);
      tokensByUser.set(
        user,
        (tokensByUser.get(user) ?? new Set()).add(valueOf(rawHeaders, 'authorization')),
      );
    }
    const tokens = [...tokensByUser.values()].map((ofUser) => [...ofUser]);
    expect(tokens.map((ofUser) => ofUser.length)).toEqual([1, 1]);
    expect(tokens[0]).not.toEqual(tokens[1]);
  });
});

function valueOf(rawHeaders: readonly string[], name: string): string {
  const at = rawHeaders.findIndex(
    (header, index) => index % 2 === 0 && header.toLowerCase() === name,
  );
  return rawHeaders[at + 1] ?? '';
}

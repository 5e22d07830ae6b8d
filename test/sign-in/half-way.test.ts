/// <reference types="jest" />
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { StorageError } from '../../src/errors.js';
import type { Browser } from '../support/browser.js';
import { isSignedIn, paramOf, sessionIdOf, tokenRequests } from '../support/sign-in.js';
import { until } from '../support/until.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

jest.setTimeout(30_000);

type Command = (key: string, ...rest: unknown[]) => Promise<unknown>;
type CommandName = 'set' | 'take' | 'delete';

let base: TestApp;
let app: TestApp;
beforeAll(async () => {
  base = await startTestApp({ faults: { revocation: true } });
  const env = { GETBILL_REVOKE_URL: `${base.sandbox.origin}/oauth/revoke`, SESSION_IDLE_S: '7200' };
  app = await startTestApp({ env, sandbox: base.sandbox });
});
afterAll(async () => {
  await app.close();
  await base.close();
});
beforeEach(async () => {
  await app.services.tokens.idle(); // the revocations of the test before
  app.events.length = 0;
  app.sandbox.control.clearRequests();
});

/**
 * While `action` runs, commands on keys that begin with `prefix` have no reply: `lost` are carried out all the same, the
 * others are not.
 */
async function stalling<T>(
  name: CommandName,
  { prefix, lost = false }: { prefix: string; lost?: boolean },
  action: () => Promise<T>,
): Promise<T> {
  const keyValue = app.services.keyValue as unknown as Record<CommandName, Command>;
  const real = keyValue[name];
  keyValue[name] = async (key, ...rest) => {
    if (!key.startsWith(prefix)) return await real(key, ...rest);
    if (lost) await real(key, ...rest);
    throw new StorageError(new Error('stalled'));
  };
  try {
    return await action();
  } finally {
    keyValue[name] = real;
  }
}

const revokedTokens = (): string[] =>
  app.sandbox.control
    .requests()
    .filter(({ url }) => url.startsWith('/oauth/revoke'))
    .map(({ body }) => new URLSearchParams(body).get('token_type_hint') ?? '');

async function secondSignIn(browser: Browser, stall: { prefix: string; lost?: boolean }) {
  const [first, second] = [await browser.startLogin(), await browser.startLogin('/debts')];
  await browser.get(await browser.approve(first));
  const path = await browser.approve(second);
  return await stalling('set', stall, () => browser.get(path));
}

describe('a storage that stalls in the middle of a second sign-in', () => {
  it.each([
    ['the token record', 'grant:', false],
    ['the token record, although it is written', 'grant:', true],
    ['the note of the sign-in', 'arrival:', false],
    ['the session', 'sess:', false],
    ['the session, although it is written', 'sess:', true],
  ])(
    '(%s) leaves the first session as it was, and no grant that is not revoked',
    async (_what, prefix, lost) => {
      const browser = app.browser();
      const answer = await secondSignIn(browser, { prefix, lost });
      expect([answer.status, answer.setCookies]).toEqual([503, []]);
      expect(answer.text).not.toContain('You did not');
      await app.services.tokens.idle();
      expect(await isSignedIn(browser)).toBe(true);
      expect((await browser.get('/dashboard')).status).toBe(200);
      expect(revokedTokens()).toEqual(expect.arrayContaining(['refresh_token', 'access_token']));
      const ended = app.events.filter(({ type }) => type === 'session_ended');
      expect(ended).toEqual([expect.objectContaining({ reason: 'record_gone' })]);
      expect(app.events.filter(({ type }) => type === 'login_completed')).toHaveLength(1);
    },
  );

  it.each<[string, CommandName, string]>([
    ['the end of the first session', 'delete', 'sess:'],
    ['the end of the first grant', 'take', 'grant:'],
  ])(
    '(%s) signs in all the same, and ends both once the storage answers',
    async (_what, name, prefix) => {
      const browser = app.browser();
      const [first, second] = [await browser.startLogin(), await browser.startLogin('/debts')];
      await browser.get(await browser.approve(first));
      const old = sessionIdOf(browser);
      const path = await browser.approve(second);
      const answer = await stalling(name, { prefix }, () => browser.get(path));
      expect([answer.status, answer.location]).toEqual([303, '/debts']);
      expect(sessionIdOf(browser)).not.toBe(old);
      await app.services.tokens.idle();
      expect(app.events).toContainEqual(
        expect.objectContaining({ type: 'session_ended', reason: 'replaced' }),
      );
      expect(await isSignedIn(browser)).toBe(true);
      // another process may have a copy of its tokens
      await until('no session', async () => !(await app.services.sessions.read(old)));
    },
  );
});

describe('a sign-out', () => {
  it.each([
    ['is not carried out', false],
    ['is carried out, and its reply lost', true],
  ])('whose deletion %s can be repeated, and the tokens are revoked', async (_what, lost) => {
    const browser = app.browser();
    await browser.signIn();
    const headers = { 'x-csrf-token': await browser.csrfToken() };
    const signOut = () => browser.send('POST', '/logout', { headers });
    expect((await stalling('take', { prefix: 'grant:', lost }, signOut)).status).toBe(503);
    expect((await signOut()).location).toBe('/');
    await app.services.tokens.idle();
    expect(revokedTokens()).toContain('refresh_token');
    expect(await isSignedIn(browser)).toBe(false);
  });

  it('that deletes the tokens and not the session does not claim that somebody is still signed in', async () => {
    const browser = app.browser();
    await browser.signIn();
    const csrf = await browser.csrfToken();
    const form = { accept: 'text/html', 'x-csrf-token': csrf };
    const signOut = () => browser.send('POST', '/logout', { headers: form });
    const answer = await stalling('delete', { prefix: 'sess:' }, signOut);
    expect(answer.status).toBe(503);
    expect(answer.text).not.toContain('you are still signed in');
    expect(answer.text).toContain('Please sign out once more');
    expect((await signOut()).location).toBe('/');
    expect(await isSignedIn(browser)).toBe(false);
  });
});

describe('a token response that cannot be used', () => {
  it.each([
    { token_type: 'mac' },
    { scope: {} },
    { expires_in: 'soon' },
    { error: 'invalid_client' },
  ])('to a code, with tokens and %j, has them revoked: nobody else could', async (override) => {
    const browser = app.browser();
    app.sandbox.control.set({ token: [{ mode: 'body', override, times: 1 }] });
    expect((await browser.signIn()).status).toBe(502);
    await until('both are revoked', () => revokedTokens().length === 2);
    expect(revokedTokens().sort()).toEqual(['access_token', 'refresh_token']);
  });

  it('to a renewal has none revoked: the session goes on with what it has', async () => {
    const browser = app.browser();
    await browser.signIn();
    app.clock.skipMs(3_601_000);
    const override = { token_type: 'mac' };
    app.sandbox.control.set({ token: [{ mode: 'body', override, times: 1 }] });
    expect((await browser.get('/debts')).status).toBe(503);
    await app.services.tokens.idle();
    expect(revokedTokens()).toEqual([]);
  });
});

describe('a session whose grant GetBill has ended, and that the storage does not delete', () => {
  const endedByGetbill = { mode: 'status', status: 400, body: { error: 'invalid_grant' } } as const;

  async function used(path: string) {
    const browser = app.browser();
    await browser.signIn();
    app.clock.skipMs(3_601_000);
    app.sandbox.control.set({ token: [{ ...endedByGetbill, times: 1 }] });
    const use = () => browser.get(path);
    return { browser, answer: await stalling('delete', { prefix: 'sess:' }, use) };
  }

  it('leads to a new sign-in, which works', async () => {
    const { browser, answer } = await used('/debts');
    expect([answer.status, answer.location]).toEqual([302, '/login?returnTo=%2Fdebts']);
    const { location = '' } = await browser.get('/login?returnTo=%2Fdebts');
    expect((await browser.get(await browser.approve(location))).location).toBe('/debts');
    expect((await browser.get('/debts')).status).toBe(200);
  });

  it('is 401 for a script, not a storage that may be back in a moment', async () => {
    const { answer } = await used('/session');
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([401, { error: 'grant_ended' }]);
  });
});

describe('a sign-in again', () => {
  const rejections: [string, number, unknown][] = [
    ['400 invalid_request', 400, { error: 'invalid_request', error_description: 'CANARY-words' }],
    ['400 with nothing', 400, ''],
    ['400 invalid_scope', 400, { error: 'invalid_scope' }],
    ['400 unauthorized_client', 400, { error: 'unauthorized_client' }],
    ['403 with a code of its own', 403, { error: 'expired' }],
    ['200 with a code of its own', 200, { error: 'bad_refresh_token' }],
    ['404 with a page', 404, '<h1>gone</h1>'],
  ];

  it.each(rejections)(
    'leads out when a renewal is refused with %s',
    async (_what, status, body) => {
      const browser = app.browser();
      await browser.signIn();
      const old = sessionIdOf(browser);
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      app.clock.skipMs(3_601_000);
      app.sandbox.control.set({ token: [{ mode: 'rawBody', status, contentType: 'application/json', body: text, times: 0, grantType: 'refresh_token' }] }); // prettier-ignore
      for (const page of ['/debts', '/debts']) {
        const failed = await browser.get(page); // the second one meets the pause
        expect(failed.status).toBe(502);
        expect(failed.text).toContain('href="/login?again=1&amp;returnTo=%2Fdebts"');
        expect(failed.text).not.toContain('CANARY-words');
      }
      expect(app.events.map(({ type }) => type)).not.toContain('session_ended');

      for (const login of ['/login?again=1&returnTo=%2Fdebts', '/login?returnTo=%2Fdebts']) {
        expect((await browser.get(login)).location).toContain(
          `${app.sandbox.origin}/oauth/authorize`,
        );
      }
      const { location = '' } = await browser.get('/login?again=1&returnTo=%2Fdebts');
      const landed = await browser.get(await browser.approve(location));
      expect([landed.status, landed.location]).toEqual([303, '/debts']);
      expect(sessionIdOf(browser)).not.toBe(old);
      expect((await browser.get('/debts')).status).toBe(200);
      expect(app.events).toContainEqual(
        expect.objectContaining({ type: 'session_ended', reason: 'replaced' }),
      );
      app.sandbox.control.set({ token: [] });
    },
  );

  it.each([
    ['answered 500', { mode: 'status', status: 500 }],
    ['never answered', { mode: 'drop' }],
  ] as const)(
    'is offered beside another try while renewals are %s, and nothing is deleted',
    async (_what, fault) => {
      const browser = app.browser();
      await browser.signIn();
      const id = sessionIdOf(browser);
      app.clock.skipMs(3_601_000);
      app.sandbox.control.set({ token: [{ ...fault, times: 0, grantType: 'refresh_token' }] });
      for (const page of ['/debts', '/debts']) {
        const failed = await browser.get(page); // the second one meets the pause
        expect(failed.status).toBe(503);
        expect(failed.text).toContain('data-reload');
        expect(failed.text).toContain('href="/login?again=1&amp;returnTo=%2Fdebts"');
      }
      expect(sessionIdOf(browser)).toBe(id);
      expect(app.events.map(({ type }) => type)).not.toContain('session_ended');
      const { location = '' } = await browser.get('/login?again=1&returnTo=%2Fdebts');
      expect((await browser.get(await browser.approve(location))).location).toBe('/debts');
      app.sandbox.control.set({ token: [] });
    },
  );

  it.each([500, 429])(
    'is offered after a code is answered %d, to one who is not told to be signed in',
    async (status) => {
      const browser = app.browser();
      const path = await browser.approve(await browser.startLogin());
      app.sandbox.control.set({ token: [{ mode: 'status', status, times: 0 }] });
      const { text } = await browser.get(path);
      expect(text).toContain('href="/login?again=1&amp;returnTo=%2Fdashboard"');
      expect(text).not.toContain('still signed in');
      app.sandbox.control.set({ token: [] });
    },
  );

  it('is not what /login does while GetBill is only away', async () => {
    const browser = app.browser();
    await browser.signIn();
    app.clock.skipMs(3_601_000);
    app.sandbox.control.set({ token: [{ mode: 'status', status: 503, times: 0 }] });
    expect((await browser.get('/login?returnTo=%2Fdebts')).location).toBe('/debts');
    app.sandbox.control.set({ token: [] });
  });
});

describe('a sign-in that failed leads back to the page that was asked for', () => {
  const link = 'href="/login?again=1&amp;returnTo=%2Fdebts%3Fpage%3D2"';
  const start = (browser: Browser) => browser.startLogin('/debts?page=2');

  it.each([
    ['GetBill refuses the code', { mode: 'status', status: 400, body: { error: 'invalid_grant' } }],
    ['GetBill has a problem', { mode: 'status', status: 503 }],
    ['GetBill gives no token', { mode: 'status', status: 200, body: {} }],
  ] as const)('where %s', async (_why, fault) => {
    const browser = app.browser();
    const path = await browser.approve(await start(browser));
    app.sandbox.control.set({ token: [{ ...fault, times: 1 }] });
    expect((await browser.get(path)).text).toContain(link);
  });

  it('where the visitor said no', async () => {
    const browser = app.browser();
    const state = paramOf(await start(browser), 'state');
    const { text } = await browser.get(`/oauth/callback?error=access_denied&state=${state}`);
    expect(text).toContain(link);
  });

  it.each(['grant:', 'arrival:', 'sess:'])('where the storage does not take %s', async (prefix) => {
    const browser = app.browser();
    const path = await browser.approve(await start(browser));
    const { text } = await stalling('set', { prefix }, () => browser.get(path));
    expect(text).toContain(link);
  });

  it('where the storage does not keep it', async () => {
    const browser = app.browser();
    const page = '/login?returnTo=%2Fdebts%3Fpage%3D2';
    const { text } = await stalling('set', { prefix: 'login:' }, () => browser.get(page));
    expect(text).toContain(link);
  });

  it('and to none of another site', async () => {
    const browser = app.browser();
    const page = '/login?returnTo=https%3A%2F%2Fevil.example';
    const { text } = await stalling('set', { prefix: 'login:' }, () => browser.get(page));
    expect(text).toContain('href="/login?again=1&amp;returnTo=%2Fdashboard"');
  });
});

describe('what GetBill said', () => {
  it('of a code is in the log and in the event, and never in the page', async () => {
    const browser = app.browser();
    const path = await browser.approve(await browser.startLogin());
    const words = `the code ${paramOf(path, 'code')} is \u001b[31m unknown`;
    app.sandbox.control.set({ token: [{ mode: 'status', status: 400, body: { error: 'invalid_request', error_description: words } }] }); // prettier-ignore
    const logged = app.logged().length;
    const answer = await browser.get(path);
    expect([answer.status, answer.text.includes('Sign in again')]).toEqual([400, true]);
    expect(answer.text).not.toContain('is unknown');
    const serverSaid = expect.stringMatching(
      /^invalid_request: the code \[(secret|hidden)\] is \[31m unknown$/,
    ) as string;
    expect(app.events).toContainEqual(
      expect.objectContaining({ type: 'token_requested', outcome: 'refused', serverSaid }),
    );
    const lines = app.logged().slice(logged).split('\n').filter((line) => line.includes('request failed')); // prettier-ignore
    expect(JSON.parse(lines[0] ?? '{}')).toMatchObject({ code: 'code_refused', serverSaid });
    expect(app.logged()).not.toContain(paramOf(path, 'code'));
  });

  it.each([
    ['without a state', () => ''],
    ['with a state of nobody', () => '&state=made-up'],
    ['with two states', () => '&state=a&state=b'],
  ])('in an error redirect %s is in the log, though nothing is exchanged', async (_what, state) => {
    const logged = app.logged().length;
    const query = `error=invalid_scope&error_description=Not%20for%20you${state()}`;
    for (const browser of [app.browser(), app.browser()]) {
      await browser.startLogin();
      const answer = await browser.get(`/oauth/callback?${query}`);
      expect([answer.status, answer.text.includes('Not for you')]).toEqual([400, false]);
      browser.cookies.clear();
      await browser.get(`/oauth/callback?${query}`);
    }
    const lines = app.logged().slice(logged).split('\n').filter((line) => line.includes('invalid_scope: Not for you')); // prettier-ignore
    expect(lines).toHaveLength(4);
    expect(tokenRequests(app.sandbox)).toEqual([]);
  });

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ])('signs in with tokens in %s, though we ask for no encoding', async (encoding, encode) => {
    let asked: string | string[] | undefined;
    const body = JSON.stringify({ access_token: 'a', token_type: 'bearer', expires_in: 60 });
    const server = createServer((req, res) => {
      asked = req.headers['accept-encoding'];
      res.setHeader('content-type', 'application/json');
      res.setHeader('content-encoding', encoding);
      res.end(encode(body));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const env = { GETBILL_TOKEN_URL: `http://127.0.0.1:${port}/oauth/token` };
    const elsewhere = await startTestApp({ env, sandbox: base.sandbox });
    try {
      const browser = elsewhere.browser();
      expect((await browser.get(await browser.approve(await browser.startLogin()))).status).toBe(
        303,
      );
      expect(await isSignedIn(browser)).toBe(true);
      expect(asked).toBe('identity');
    } finally {
      await elsewhere.close();
      server.close();
    }
  });

  it('signs in with a mark and spellings of its own', async () => {
    const browser = app.browser();
    const path = await browser.approve(await browser.startLogin());
    const body = `\ufeff${JSON.stringify({ access_token: 'a', token_type: 'bearer', expires_in: '3600.0', scope: ['company:read'], refresh_token: '' })}`; // prettier-ignore
    app.sandbox.control.set({
      token: [{ mode: 'rawBody', status: 200, contentType: 'application/json', body }],
    });
    expect((await browser.get(path)).status).toBe(303);
    expect(app.events).toContainEqual(
      expect.objectContaining({ type: 'login_completed', scopes: ['company:read'] }),
    );
  });

  it('takes a code of 4 KB', async () => {
    const browser = app.browser();
    const { location = '' } = await browser.get('/login');
    const code = 'c'.repeat(4096);
    const good = { access_token: 'a', token_type: 'bearer', expires_in: 60 };
    app.sandbox.control.set({ token: [{ mode: 'rawBody', status: 200, contentType: 'application/json', body: JSON.stringify(good) }] }); // prettier-ignore
    const state = paramOf(location, 'state');
    expect(
      (await browser.get(`/oauth/callback?${new URLSearchParams({ code, state }).toString()}`))
        .status,
    ).toBe(303);
    expect(tokenRequests(app.sandbox)[0]?.form.get('code')).toBe(code);
  });
});

describe('a process with keys of its own', () => {
  it('says that it cannot read the sign-in another one began', async () => {
    const browser = app.browser();
    const path = await browser.approve(await browser.startLogin());
    const take = app.services.keyValue.take.bind(app.services.keyValue);
    const keyValue = app.services.keyValue as { take: typeof take };
    keyValue.take = async (key) => (await take(key))?.replace(/^[\w-]{8}\./, 'otherkey.');
    try {
      const answer = await browser.get(path);
      expect([answer.status, answer.text.includes('encrypted with a key that this server does not have')]).toEqual([503, true]); // prettier-ignore
    } finally {
      keyValue.take = take;
    }
    expect(app.events.map(({ type }) => type)).toContain('key_missing');
  });

  it('says that SESSION_SECRET differs, where cookies are not to blame', async () => {
    const other = await startTestApp({
      sandbox: base.sandbox,
      env: { SESSION_SECRET: 'another-secret-'.repeat(4) },
    });
    try {
      const browser = app.browser();
      await browser.signIn();
      const stranger = other.browser();
      const names = [...browser.cookies.keys()];
      for (const [name, value] of browser.cookies) {
        const port = new URL(other.publicUrl).port;
        stranger.cookies.set(name.replace(/\d+$/, port), value);
      }
      expect(names.length).toBeGreaterThan(1);
      Object.assign(other.services.keyValue, app.services.keyValue); // one storage for both
      const answer = await stranger.get('/login');
      expect([answer.status, answer.text.includes('another one of ours began')]).toEqual([
        500,
        true,
      ]);
    } finally {
      await other.close();
    }
  });
});

describe('thirty images on a foreign page', () => {
  it.each<[string, Record<string, string>]>([
    [
      'images',
      { 'sec-fetch-dest': 'image', 'sec-fetch-mode': 'no-cors', 'sec-fetch-site': 'cross-site' },
    ],
    [
      'frames',
      { 'sec-fetch-dest': 'iframe', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'cross-site' },
    ],
    ['scripts', { 'sec-fetch-dest': 'script', 'sec-fetch-mode': 'no-cors' }],
    [
      'links to fetch ahead',
      { 'sec-purpose': 'prefetch', 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'no-cors' },
    ],
    ['pages to fetch ahead', { 'sec-purpose': 'prefetch;prerender', 'sec-fetch-mode': 'navigate' }],
    [
      'images of a browser without Sec-Fetch',
      { accept: 'image/webp,image/png,image/*;q=0.8,*/*;q=0.5' },
    ],
  ])('(%s) keep nobody at that address from signing in', async (_what, headers) => {
    const env = { RATE_LIMIT_CALLBACK: '5', RATE_LIMIT_LOGIN: '5' };
    const limited = await startTestApp({ sandbox: base.sandbox, env });
    try {
      for (let times = 0; times < 30; times += 1) {
        for (const path of ['/oauth/callback', '/login']) {
          expect([204, 403]).toContain((await limited.browser().get(path, headers)).status);
        }
      }
      expect((await limited.browser().signIn()).status).toBe(303);
    } finally {
      await limited.close();
    }
  });
});

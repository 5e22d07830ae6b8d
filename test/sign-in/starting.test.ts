/// <reference types="jest" />
import {
  cookieNames,
  challengeOf,
  codeCalls,
  isSignedIn,
  paramOf,
  tokenRequests,
} from '../support/sign-in.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

jest.setTimeout(30_000);

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());
beforeEach(() => {
  app.sandbox.control.reset();
  app.sandbox.control.clearRequests();
  app.events.length = 0;
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('starting a sign-in', () => {
  it('[A03] gives each of 500 logins a state of at least 128 random bits of its own', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const states = new Set<string>();
    const challenges = new Set<string>();
    const browsers = Array.from({ length: 25 }, () => app.browser());
    await Promise.all(
      browsers.map(async (browser) => {
        for (let times = 0; times < 20; times += 1) {
          const url = await browser.startLogin();
          states.add(paramOf(url, 'state'));
          challenges.add(paramOf(url, 'code_challenge'));
        }
      }),
    );
    expect(states.size).toBe(500);
    expect(challenges.size).toBe(500);
    for (const state of states) expect(state).toMatch(/^[\w-]{22,}$/);
    expect(new Set(browsers.map(({ cookies }) => cookies.get(cookieNames(app).login))).size).toBe(
      25,
    );
  });

  it('[A06] sends a PKCE challenge whose verifier comes with the code, new each time, and shows the verifier nowhere', async () => {
    const verifiers = new Set<string>();
    for (let times = 0; times < 3; times += 1) {
      const browser = app.browser();
      const url = await browser.startLogin();
      expect(paramOf(url, 'code_challenge_method')).toBe('S256');
      expect(paramOf(url, 'code_challenge')).toMatch(/^[\w-]{43}$/);
      const callback = await browser.get(await browser.approve(url));
      const dashboard = await browser.get('/dashboard');

      const verifier = tokenRequests(app.sandbox).at(-1)?.form.get('code_verifier') ?? '';
      expect(verifier).toMatch(/^[A-Za-z0-9\-._~]{43,128}$/);
      expect(challengeOf(verifier)).toBe(paramOf(url, 'code_challenge'));
      verifiers.add(verifier);
      const seen = [url, callback.text, JSON.stringify(callback.headers), dashboard.text, app.logged(), JSON.stringify(app.events)]; // prettier-ignore
      for (const text of seen) expect(text).not.toContain(verifier);
    }
    expect(verifiers.size).toBe(3);
  });

  it('[A07] takes every parameter from the configuration, once, whatever the request says', async () => {
    const browser = app.browser();
    const answer = await browser.get(
      '/login?client_id=evil&redirect_uri=https://evil.example&scope=admin&response_type=token&state=mine&code_challenge=x',
      { 'x-forwarded-host': 'evil.example', 'x-original-host': 'evil.example', forwarded: 'host=evil.example', referer: 'https://evil.example/' }, // prettier-ignore
    );
    const url = new URL(answer.location ?? '');
    const redirectUri = `${app.publicUrl}/oauth/callback`;
    expect(url.origin + url.pathname).toBe(`${app.sandbox.origin}/oauth/authorize`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: 'code',
      client_id: 'sandbox-client',
      redirect_uri: redirectUri,
      scope: 'company:read debts:read followups:read',
      state: expect.stringMatching(/^[\w-]{43}$/) as string,
      code_challenge: expect.stringMatching(/^[\w-]{43}$/) as string,
      code_challenge_method: 'S256',
    });
    expect([...url.searchParams.keys()]).toHaveLength(7);

    await browser.get(await browser.approve(url.href));
    expect(tokenRequests(app.sandbox).at(-1)?.form.get('redirect_uri')).toBe(redirectUri);
  });

  it('[A08] asks for nothing but company:read unless told otherwise', async () => {
    const modest = await startTestApp({ env: { GETBILL_SCOPES: '' }, sandbox: app.sandbox });
    try {
      expect(paramOf(await modest.browser().startLogin(), 'scope')).toBe('company:read');
    } finally {
      await modest.close();
    }
  });

  it('[A04] can be finished within an hour, and not after 61 minutes', async () => {
    const patient = await startTestApp();
    try {
      const [quick, slow] = [patient.browser(), patient.browser()];
      const [quickUrl, slowUrl] = [await quick.startLogin(), await slow.startLogin()];
      patient.clock.skipMs(59 * 60_000);
      expect((await quick.get(await quick.approve(quickUrl))).status).toBe(303);
      expect(codeCalls(patient.sandbox)).toBe(1);

      patient.clock.skipMs(2 * 60_000);
      const answer = await slow.get(await slow.approve(slowUrl), { accept: 'application/json' });
      expect([answer.status, answer.json['error']]).toEqual([400, 'login_unknown']);
      expect(codeCalls(patient.sandbox)).toBe(1);
      expect(await isSignedIn(slow)).toBe(false);
    } finally {
      await patient.close();
    }
  });

  it('has no body, so that the state is in one place only', async () => {
    const answer = await app.browser().get('/login');
    expect([answer.status, answer.text, answer.headers['cache-control']]).toEqual([
      302,
      '',
      'no-store',
    ]);
  });

  it('binds the login to this browser by a cookie that scripts and other sites do not get', async () => {
    const [line = ''] = (await app.browser().get('/login')).setCookies;
    expect(line.split('; ').filter((part) => !part.startsWith('Expires='))).toEqual([
      expect.stringMatching(/^gb-login-\d+=[\w-]{43}$/),
      'Max-Age=3600',
      'Path=/',
      'HttpOnly',
      'SameSite=Lax',
    ]);
  });

  it('behind https gives that cookie the __Host- prefix', async () => {
    const { startRedis } = await import('../support/redis-server.js');
    const redis = await startRedis();
    const secure = await startTestApp({
      https: true,
      env: { REDIS_URL: redis.url },
      sandbox: app.sandbox,
    });
    try {
      const browser = secure.browser();
      const [line = ''] = (await browser.get('/login')).setCookies;
      expect(line).toMatch(
        /^__Host-gb-login=[\w-]{43}; Max-Age=3600; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/,
      );
      const [session = ''] = (await browser.signIn()).setCookies;
      expect(session).toMatch(/^__Host-gb-session=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    } finally {
      await secure.close();
      await redis.close();
    }
  });

  it('keeps the binding of the browser, however many tabs start', async () => {
    const browser = app.browser();
    await browser.startLogin();
    const binding = browser.cookies.get(cookieNames(app).login);
    for (let times = 0; times < 5; times += 1) await browser.startLogin();
    expect(browser.cookies.get(cookieNames(app).login)).toBe(binding);
  });

  it.each([
    ['empty', ''],
    ['short', 'short'],
    ['one character too long', 'a'.repeat(44)],
    ['very long', 'a'.repeat(4000)],
    ['with a quote', `${'a'.repeat(42)}%22`],
    ['not decodable', '%E0%A4%A'],
  ])('replaces a binding that is none of ours: %s', async (_what, value) => {
    const browser = app.browser();
    browser.cookies.set(cookieNames(app).login, value);
    await browser.startLogin();
    expect(browser.cookies.get(cookieNames(app).login)).toMatch(/^[\w-]{43}$/);
    expect(browser.cookies.get(cookieNames(app).login)).not.toBe(value);
  });
});

describe('a request to start a sign-in', () => {
  it.each<Record<string, string>>([
    { 'sec-fetch-dest': 'image', 'sec-fetch-mode': 'no-cors' },
    { 'sec-fetch-dest': 'iframe', 'sec-fetch-mode': 'navigate' },
    { 'sec-fetch-dest': 'script', 'sec-fetch-mode': 'no-cors' },
    { 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'cors' },
    { 'sec-fetch-dest': 'embed', 'sec-fetch-mode': 'navigate' },
    { 'sec-fetch-mode': 'no-cors' },
  ])('[D05] from an image, frame or script is refused and starts nothing (%j)', async (headers) => {
    const answer = await app
      .browser()
      .get('/login', { ...headers, 'sec-fetch-site': 'cross-site' });
    expect([answer.status, answer.location, answer.setCookies]).toEqual([403, undefined, []]);
    expect(app.events.map(({ type }) => type)).not.toContain('login_started');
  });

  it('[D05] from a link on another site starts it', async () => {
    const headers = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    expect((await app.browser().get('/login', headers)).status).toBe(302);
  });

  it('on another host is first sent to the one that browsers see', async () => {
    const { port } = new URL(app.publicUrl);
    for (const host of [
      `127.0.0.1:${port}`,
      'localhost',
      'evil.example',
      `localhost:${port}.evil.example`,
    ]) {
      const answer = await app.browser().get('/login?returnTo=%2Fdebts%3Fpage%3D2', { host });
      expect([answer.status, answer.location, answer.setCookies]).toEqual([302, `${app.publicUrl}/login?returnTo=%2Fdebts%3Fpage%3D2&redirected=1`, []]); // prettier-ignore
    }
  });

  it('on another host keeps that a person who is signed in wants to sign in again, and for what', async () => {
    const browser = app.browser();
    await browser.signIn();
    const path = '/login?again=1&scope=debts:write&returnTo=%2Fdebts';
    const { location = '' } = await browser.get(path, { host: '127.0.0.1' });
    const { searchParams } = new URL(location);
    expect(Object.fromEntries(searchParams)).toEqual({
      again: '1',
      scope: 'debts:write',
      returnTo: '/debts',
      redirected: '1',
    });
    const answer = await browser.get(location.slice(app.publicUrl.length));
    expect(answer.location).toContain(`${app.sandbox.origin}/oauth/authorize`);
  });

  it('on another host carries no foreign page along', async () => {
    const answer = await app
      .browser()
      .get('/login?returnTo=//evil.example', { host: 'other.example' });
    expect(answer.location).toBe(`${app.publicUrl}/login?returnTo=%2Fdashboard&redirected=1`);
  });

  it('while signed in goes straight to the page asked for', async () => {
    const browser = app.browser();
    await browser.signIn();
    app.sandbox.control.reset();
    for (const [path, location] of [
      ['/login', '/dashboard'],
      ['/login?returnTo=%2Fdebts', '/debts'],
      ['/login?returnTo=%2F%2Fevil.example', '/dashboard'],
    ] as const) {
      const answer = await browser.get(path);
      expect([answer.status, answer.location, answer.setCookies]).toEqual([302, location, []]);
    }
    expect(app.sandbox.control.state().counters.authorize).toBe(0);
  });

  it.each(['/Login', '/login/', '//login', '/LOGIN'])(
    'by another spelling (%s) is an unknown path',
    async (path) => {
      const answer = await app.browser().get(path);
      expect([answer.status, answer.setCookies]).toEqual([404, []]);
    },
  );

  it.each(['POST', 'HEAD', 'PUT'])('by %s is refused', async (method) => {
    const answer = await app.browser().send(method, '/login');
    expect([answer.status, answer.headers['allow'], answer.setCookies]).toEqual([405, 'GET', []]);
  });
});

describe('a page for people who are signed in', () => {
  it('sends a person who goes there to sign in, and brings them back', async () => {
    const browser = app.browser();
    const answer = await browser.get('/dashboard?tab=2');
    expect([answer.status, answer.location]).toEqual([
      302,
      '/login?returnTo=%2Fdashboard%3Ftab%3D2',
    ]);
    const login = await browser.get(answer.location ?? '');
    expect((await browser.get(await browser.approve(login.location ?? ''))).location).toBe(
      '/dashboard?tab=2',
    );
  });

  it.each<[string, string, Record<string, string>]>([
    ['GET', '/api/debts', {}],
    [
      'GET',
      '/api/debts',
      { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    ],
    ['GET', '/session', {}],
    ['POST', '/api/debts', {}],
    ['GET', '/dashboard', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: '*/*' }],
    ['GET', '/dashboard', { 'x-requested-with': 'XMLHttpRequest' }],
    ['GET', '/dashboard', { accept: 'application/json' }],
    ['GET', '/dashboard', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
  ])(
    'answers %s %s of a script (%j) with 401 and starts nothing',
    async (method, path, headers) => {
      const answer = await app.browser().send(method, path, { headers });
      expect([answer.status, answer.location, answer.setCookies]).toEqual([401, undefined, []]);
      expect(answer.json).toMatchObject({ error: 'not_signed_in', login_url: '/login' });
    },
  );

  it.each<[string, Record<string, string>]>([
    ['an Android WebView, which names its app', { 'x-requested-with': 'com.example.mail' }],
    [
      'a proxy that empties headers it does not know',
      { 'sec-fetch-dest': '', 'sec-fetch-mode': '', 'sec-fetch-site': '', 'x-requested-with': '' },
    ],
  ])('is a page for people behind %s, too', async (_what, headers) => {
    const browser = app.browser();
    const { location = '' } = await browser.get('/dashboard', headers);
    expect(location).toBe('/login?returnTo=%2Fdashboard');
    const login = await browser.get(`${location}&scope=debts%3Awrite`, headers);
    expect(paramOf(login.location ?? '', 'scope')).toContain('debts:write');
    const landed = await browser.get(await browser.approve(login.location ?? ''), headers);
    expect(landed.location).toBe('/dashboard');
    expect((await browser.get('/session', headers)).status).toBe(200);
  });
});

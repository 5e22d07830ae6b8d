import { startSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import { companyProfiles } from '../../sandbox/api/data/companies.js';
import { grantIdOf } from '../../src/web/session/session.js';
import { exchange, rawRequest } from '../proxy/support/raw-http.js';
import { until } from '../support/until.js';
import type { Answer, Browser } from '../support/browser.js';
import { passTime } from '../support/redis-storage.js';
import { callbackFor, isSignedIn, sessionIdOf } from '../support/sign-in.js';
import { CLIENT_SECRET, type TestApp } from '../support/test-app.js';
import { startProduction, type Production } from './support/production.js';

jest.setTimeout(60_000);

const SESSION = '__Host-gb-session';
const LOGIN = '__Host-gb-login';
const MINUTE_MS = 60_000;

let site: Production;
let app: TestApp;
beforeAll(async () => {
  site = await startProduction({ faults: { consent: 'ask' } });
  ({ app } = site);
});
afterAll(() => site.close());
beforeEach(() => {
  app.sandbox.control.reset();
  app.events.length = 0;
});

const sessionKey = (browser: Browser): string => `sess:${sessionIdOf(browser)}`;
const grantKey = (browser: Browser): string => `grant:${grantIdOf(sessionIdOf(browser))}`;
const exists = (...keys: string[]): Promise<number> => site.redis.client.exists(...keys);

async function signIn(company?: string): Promise<Browser> {
  const browser = app.browser();
  const { status } = await browser.signIn(company === undefined ? {} : { company });
  expect(status).toBe(303);
  return browser;
}

/** A second holder of the same cookies, as they are now. */
function copyOf(browser: Browser): Browser {
  const copy = app.browser();
  for (const [name, value] of browser.cookies) copy.cookies.set(name, value);
  return copy;
}

const namesOfEvents = (): string[] => app.events.map(({ type }) => type);

describe('cookies in production', () => {
  it('[C01] are __Host-, Secure, HttpOnly, Lax, for the whole host and no other, and small', async () => {
    const browser = app.browser();
    const login = await browser.get('/login');
    const callback = await browser.get(await browser.approve(login.location ?? ''));
    expect(login.setCookies).toEqual([
      expect.stringMatching(/^__Host-gb-login=[\w-]{43}; Max-Age=3600; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/), // prettier-ignore
    ]);
    expect(callback.setCookies).toEqual([
      expect.stringMatching(
        /^__Host-gb-session=s%3A[\w-]{32}\.[\w%]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      ),
    ]);
    for (const line of [...login.setCookies, ...callback.setCookies])
      expect(line.length).toBeLessThan(256);
  });

  it('[C01] are not set on a request that did not arrive over https', async () => {
    const browser = app.browser();
    const path = await browser.approve(await browser.startLogin());
    const cookie = `Cookie: ${LOGIN}=${browser.cookies.get(LOGIN) ?? ''}`;
    for (const target of ['/login', path]) {
      const answer = await exchange(app.origin, rawRequest('GET', target, ['Host: connect.example', 'Connection: close', cookie])); // prettier-ignore
      expect([answer.status, answer.headers.get('set-cookie')]).toEqual([500, undefined]);
    }
    expect((await browser.get(path)).status).toBe(303);
  });
});

describe('a session that is not used', () => {
  it('[C05] lives for the idle time, which every use begins again', async () => {
    const browser = await signIn();
    const { client } = site.redis;
    const ttlMs = await client.pttl(sessionKey(browser));
    expect(ttlMs).toBeGreaterThan(29 * MINUTE_MS);
    expect(ttlMs).toBeLessThanOrEqual(30 * MINUTE_MS);
    await client.pexpire(sessionKey(browser), 5_000);
    app.clock.skipMs(2 * MINUTE_MS);
    expect((await browser.get('/dashboard')).status).toBe(200);
    await until(
      'the session is renewed',
      async () => (await client.pttl(sessionKey(browser))) > 29 * MINUTE_MS,
    );
  });

  it('[C05] is over when that time has passed, and the visitor is sent to sign in', async () => {
    const browser = await signIn();
    await passTime(site.redis, 31 * MINUTE_MS);
    expect(await exists(sessionKey(browser))).toBe(0);
    const page = await browser.get('/dashboard');
    expect([page.status, page.location]).toEqual([302, '/login?returnTo=%2Fdashboard']);
    expect((await browser.get('/api/company/profile')).status).toBe(401);
    expect(namesOfEvents()).toContain('session_expired');
  });
});

describe('a session in constant use', () => {
  it('[C06] ends eight hours after sign-in, and its record is gone', async () => {
    const browser = await signIn();
    const keys = [sessionKey(browser), grantKey(browser)];
    const answered: number[] = [];
    for (let minutes = 5; minutes <= 9 * 60; minutes += 5) {
      app.clock.skipMs(5 * MINUTE_MS);
      await passTime(site.redis, 5 * MINUTE_MS);
      answered.push((await browser.get('/session', { accept: 'application/json' })).status);
    }
    expect(answered).toEqual([...Array<number>(95).fill(200), ...Array<number>(13).fill(401)]);
    expect(await exists(...keys)).toBe(0);
    const page = await browser.get('/dashboard');
    expect([page.status, page.location]).toEqual([302, '/login?returnTo=%2Fdashboard']);
  });
});

describe('signing out', () => {
  it('[C07] is a button on every page for whoever is signed in, also on an error page', async () => {
    const browser = await signIn();
    for (const path of ['/', '/dashboard', '/debts', '/connection', '/nowhere']) {
      expect((await browser.get(path)).text).toMatch(/<form method="post" action="\/logout">\s*<input type="hidden" name="_csrf" value="[^"]{20,}">/); // prettier-ignore
    }
  });

  it('[C07] removes both records, expires the cookies as they were set, and clears what the site has stored', async () => {
    const browser = await signIn();
    const old = copyOf(browser);
    const keys = [sessionKey(browser), grantKey(browser)];
    expect(await exists(...keys)).toBe(2);

    const answer = await browser.signOut();
    expect([answer.status, answer.location]).toEqual([303, '/']);
    expect(answer.headers['clear-site-data']).toBe('"storage"');
    for (const name of [SESSION, LOGIN]) {
      expect(answer.setCookies).toContain(`${name}=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax`); // prettier-ignore
    }
    expect(await exists(...keys)).toBe(0);
    expect(await isSignedIn(old)).toBe(false);
    const page = await old.get('/dashboard');
    expect([page.status, page.location]).toEqual([302, '/login?returnTo=%2Fdashboard']);
    expect((await old.get('/api/company/profile')).status).toBe(401);
    expect(await exists(...keys)).toBe(0);
  });

  it('[C07] is told to the visitor once, with what it does not do', async () => {
    const browser = await signIn();
    await browser.signOut();
    expect((await browser.get('/')).text).toContain('You may still be signed in at GetBill');
    expect((await browser.get('/')).text).not.toContain('You may still be signed in at GetBill');
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])(
    '[C07] [D03] does not happen by %s',
    async (method) => {
      const browser = await signIn();
      const token = await browser.csrfToken();
      const answer = await browser.send(
        method,
        `/logout?_csrf=${encodeURIComponent(token)}&_method=POST`,
        {
          headers: {
            'x-csrf-token': token,
            'x-http-method-override': 'POST',
            'x-method-override': 'POST',
          },
        },
      );
      expect([answer.status, answer.headers['allow']]).toEqual([405, 'POST']);
      expect(await isSignedIn(browser)).toBe(true);
    },
  );

  it('[C07] without a session goes to the start page and creates nothing', async () => {
    const before = await site.redis.client.keys('*');
    for (const cookies of [[], [[SESSION, 's%3Aunknown.signature']]] as const) {
      const browser = app.browser();
      for (const [name, value] of cookies) browser.cookies.set(name, value);
      const answer = await browser.send('POST', '/logout');
      expect([answer.status, answer.location, answer.setCookies]).toEqual([303, '/', []]);
    }
    expect((await site.redis.client.keys('*')).sort()).toEqual(before.sort());
  });
});

describe('the session of somebody else', () => {
  const [first, second] = companyProfiles as unknown as [{ name: string }, { name: string }];

  it('[C14] is gone when another person signs in in the same browser, and so is all it showed', async () => {
    const browser = app.browser();
    const [loginA, loginB] = [await browser.startLogin(), await browser.startLogin()];
    await browser.get(await browser.approve(loginA, { company: first.name }));
    const keysOfA = [sessionKey(browser), grantKey(browser)];
    const cookiesOfA = copyOf(browser);
    const pages = ['/dashboard', '/api/company/profile', '/connection'];
    expect((await browser.get('/dashboard')).text).toContain(first.name);

    await browser.get(await browser.approve(loginB, { company: second.name }));
    expect(await exists(...keysOfA)).toBe(0);
    for (const path of pages) expect((await browser.get(path)).text).not.toContain(first.name);
    expect((await browser.get('/dashboard')).text).toContain(second.name);
    expect((await cookiesOfA.get('/dashboard')).status).toBe(302);
    expect(await exists(...keysOfA)).toBe(0);
    expect(app.events).toContainEqual(
      expect.objectContaining({ type: 'session_ended', reason: 'replaced' }),
    );
  });

  it('[C14] never shows in 100 interleaved pages of two browsers', async () => {
    const [a, b] = [await signIn(first.name), await signIn(second.name)];
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const path = index % 2 === 0 ? '/dashboard' : '/api/company/profile';
        return await Promise.all([a.get(path), b.get(path)]);
      }),
    );
    for (const [ofA, ofB] of answers) {
      expect([ofA.status, ofA.text.includes(first.name), ofA.text.includes(second.name)]).toEqual([
        200,
        true,
        false,
      ]);
      expect([ofB.status, ofB.text.includes(first.name), ofB.text.includes(second.name)]).toEqual([
        200,
        false,
        true,
      ]);
    }
  });
});

describe('GET /session', () => {
  it('says who is signed in, until when, and gives the token that writes need', async () => {
    const browser = await signIn();
    const answer = await browser.get('/session', {
      'sec-fetch-site': 'same-origin',
      accept: '*/*',
    });
    expect(answer.json).toEqual({
      signedIn: true,
      scopes: ['company:read', 'debts:read', 'followups:read'],
      scopesAssumed: true,
      csrfToken: expect.any(String) as string,
      idleExpiresAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      expiresAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    });
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.headers['cache-control']).toBe('no-store');
    const { csrfToken, expiresAt, idleExpiresAt } = answer.json as Record<string, string>;
    const untilMs = (time = ''): number => Date.parse(time) - app.services.now();
    expect(Math.round(untilMs(idleExpiresAt) / MINUTE_MS)).toBe(30);
    expect(Math.round(untilMs(expiresAt) / MINUTE_MS)).toBe(480);

    const signedOut = await browser.send('POST', '/logout', {
      headers: { 'x-csrf-token': csrfToken ?? '' },
    });
    expect(signedOut.status).toBe(303);
    expect(await isSignedIn(browser)).toBe(false);
  });

  it.each(['cross-site', 'same-site'])('is refused to a page of another site: %s', async (from) => {
    const browser = await signIn();
    const answer = await browser.get('/session', {
      'sec-fetch-site': from,
      'sec-fetch-mode': 'no-cors',
    });
    expect([answer.status, answer.json['error']]).toEqual([403, 'foreign_origin']);
    expect(answer.text).not.toContain('csrfToken');
  });

  it('is 401 JSON with the way to sign in for everybody else, also for a browser that wants HTML', async () => {
    const answer = await app.browser().get('/session');
    expect([answer.status, answer.location]).toEqual([401, undefined]);
    expect(answer.json).toMatchObject({ error: 'not_signed_in', login_url: '/login' });
    expect(answer.headers['cache-control']).toBe('no-store');
  });
});

describe('while Redis is away', () => {
  async function timed(pending: Promise<Answer>): Promise<{ answer: Answer; ms: number }> {
    const startedMs = performance.now();
    const answer = await pending;
    return { answer, ms: performance.now() - startedMs };
  }

  it.each(['stopped', 'hanging'] as const)(
    '[C10] everything that needs a session is 503 at once, nobody is signed out, and it recovers by itself: %s',
    async (how) => {
      const browser = await signIn();
      const starting = app.browser();
      const callback = callbackFor(await starting.startLogin());
      const csrf = { headers: { 'x-csrf-token': await browser.csrfToken() } };
      const cookies = new Map(browser.cookies);
      app.sandbox.control.clearRequests();

      if (how === 'stopped') await site.redis.stop();
      else site.redis.pause();
      try {
        const answers = await Promise.all([
          ...['/dashboard', '/debts', '/connection', '/session', '/api/company/profile', '/login'].map((path) => timed(browser.get(path))),
          timed(browser.send('POST', '/logout', csrf)),
          timed(app.browser().get('/login')),
          timed(starting.get(callback)),
        ]); // prettier-ignore
        for (const { answer, ms } of answers) {
          const { status, location, setCookies, headers } = answer;
          expect([status, location, setCookies, headers['retry-after']]).toEqual([
            503,
            undefined,
            [],
            '1',
          ]);
          expect(ms).toBeLessThan(2_000);
        }
        expect((await browser.get('/healthz')).status).toBe(200);
        expect((await browser.get('/readyz')).status).toBe(503);
        expect((await app.browser().get('/')).status).toBe(200); // needs no session
      } finally {
        if (how === 'stopped') await site.redis.start();
        else site.redis.resume();
      }
      expect(app.sandbox.control.requests()).toEqual([]);
      expect(browser.cookies).toEqual(cookies);
      await until('it is ready', async () => (await browser.get('/readyz')).status === 200, {
        withinMs: 5_000,
      });
      expect((await browser.get('/dashboard')).status).toBe(200);
      expect(await isSignedIn(browser)).toBe(true);
    },
  );
});

describe('telling GetBill that somebody has signed out', () => {
  let sandbox: Sandbox;
  let revoking: Production;
  beforeAll(async () => {
    sandbox = await startSandbox({
      redirectUris: ['https://connect.example/oauth/callback'],
      faults: { consent: 'auto', revocation: true },
    });
    revoking = await startProduction({
      sandbox,
      env: { GETBILL_REVOKE_URL: `${sandbox.origin}/oauth/revoke`, GETBILL_TIMEOUT_MS: '500' },
    });
  });
  afterAll(async () => {
    await revoking.close();
    await sandbox.close();
  });
  beforeEach(() => {
    sandbox.control.reset();
    sandbox.control.clearRequests();
    revoking.app.events.length = 0;
  });

  async function signInThere(): Promise<Browser> {
    const browser = revoking.app.browser();
    await browser.signIn();
    return browser;
  }
  const revocations = (): URLSearchParams[] =>
    sandbox.control
      .requests()
      .filter(({ url }) => url.startsWith('/oauth/revoke'))
      .map(({ body }) => new URLSearchParams(body));
  const outcomes = (): unknown[] =>
    revoking.app.events.flatMap((event) => (event.type === 'token_revoked' ? [event.outcome] : []));

  it('[B10] sends the refresh token, then the access token, each with its kind and our credentials in the body', async () => {
    const browser = await signInThere();
    await browser.signOut();
    await revoking.app.services.tokens.idle();
    const forms = revocations();
    expect(forms.map((form) => form.get('token_type_hint'))).toEqual([
      'refresh_token',
      'access_token',
    ]);
    for (const form of forms) {
      expect(form.get('client_id')).toBe('sandbox-client');
      expect(form.get('client_secret')).toBe(CLIENT_SECRET);
    }
    expect(new Set(forms.map((form) => form.get('token'))).size).toBe(2);
    expect(outcomes()).toEqual(['ok']);
    expect(sandbox.control.requests().filter(({ url }) => url.includes('revoke?'))).toEqual([]);
  });

  it.each([
    ['does not answer', { mode: 'hang', times: 0 }],
    ['answers 503', { mode: 'status', status: 503, times: 0 }],
    ['answers with a page', { mode: 'html', status: 500, times: 0 }],
  ] as const)(
    '[B10] does not keep the visitor waiting when GetBill %s: tried twice, then an event',
    async (_name, fault) => {
      const browser = await signInThere();
      const keys = [sessionKey(browser), grantKey(browser)];
      sandbox.control.set({ revokeFault: [fault] });
      const token = await browser.csrfToken();
      const startedMs = performance.now();
      const { status } = await browser.send('POST', '/logout', {
        headers: { 'x-csrf-token': token },
      });
      expect(status).toBe(303);
      expect(await revoking.redis.client.exists(...keys)).toBe(0);
      if (fault.mode === 'hang') expect(outcomes()).toEqual([]); // the answer came first
      expect(performance.now() - startedMs).toBeLessThan(3_000);
      await revoking.app.services.tokens.idle();
      expect(revocations().map((form) => form.get('token_type_hint'))).toEqual(['refresh_token', 'refresh_token', 'access_token', 'access_token']); // prettier-ignore
      expect(outcomes()).toEqual(['failed']);
    },
  );

  it.each(['invalid_token', 'invalid_grant'])(
    '[B10] is done when GetBill says %s: what is dead need not be revoked',
    async (error) => {
      const browser = await signInThere();
      sandbox.control.set({ revokeFault: [{ mode: 'status', status: 400, body: { error }, times: 0 }] }); // prettier-ignore
      await browser.signOut();
      await revoking.app.services.tokens.idle();
      expect(revocations()).toHaveLength(2);
      expect(outcomes()).toEqual(['ok']);
    },
  );

  it('[B10] is done at the second try when the first fails', async () => {
    const browser = await signInThere();
    sandbox.control.set({ revokeFault: [{ mode: 'status', status: 503, times: 1 }] });
    await browser.signOut();
    await revoking.app.services.tokens.idle();
    expect(revocations()).toHaveLength(3);
    expect(outcomes()).toEqual(['ok']);
  });

  it('[C08] [B10] a call in flight that renews cannot bring the session back, and what it received is revoked', async () => {
    const browser = await signInThere();
    const old = copyOf(browser);
    const keys = [sessionKey(browser), grantKey(browser)];
    sandbox.control.expireAccessTokens();
    sandbox.control.set({ token: [{ mode: 'holdAnswer', grantType: 'refresh_token' }] });
    const call = browser.get('/api/company/profile');
    await until('the renewal is held', () => sandbox.control.state().held > 0);
    expect((await browser.signOut()).status).toBe(303);
    sandbox.control.release();
    const { status, setCookies } = await call;
    expect([status, setCookies.filter((line) => !line.includes('1970'))]).toEqual([401, []]);
    await revoking.app.services.tokens.idle();

    expect(await revoking.redis.client.exists(...keys)).toBe(0);
    expect((await old.get('/dashboard')).status).toBe(302);
    expect(await revoking.redis.client.exists(...keys)).toBe(0);
    const revoked = revocations().filter((form) => form.get('token_type_hint') === 'refresh_token');
    expect(new Set(revoked.map((form) => form.get('token'))).size).toBe(2); // the old one, and the one received late
  });

  it('[B10] is not tried where no address is configured', async () => {
    const browser = await signIn();
    app.sandbox.control.set({ revocation: true });
    app.sandbox.control.clearRequests();
    await browser.signOut();
    await app.services.tokens.idle();
    expect(app.sandbox.control.requests().filter(({ url }) => url.includes('revoke'))).toEqual([]);
    expect(namesOfEvents()).not.toContain('token_revoked');
  });
});

it('a note about an ended connection that is no time costs no page', async () => {
  const browser = app.browser();
  await browser.signIn();
  for (const note of ['', 'x', '1e99', '9'.repeat(20), '-1']) {
    browser.cookies.set('__Host-gb-ended', note);
    const { status, setCookies } = await browser.get('/dashboard');
    expect([note, status]).toEqual([note, 200]);
    expect(setCookies.join()).toContain('__Host-gb-ended=;');
  }
});

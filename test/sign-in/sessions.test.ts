/// <reference types="jest" />
import type { Store } from 'express-session';
import { grantIdOf } from '../../src/web/session/session.js';
import type { SessionStore } from '../../src/web/session/session-store.js';
import type { Services } from '../../src/services.js';
import type { Browser } from '../support/browser.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';
import { codeCalls, cookieNames, isSignedIn, sessionIdOf, signed } from '../support/sign-in.js';
import { SESSION_SECRET, startTestApp, type TestApp } from '../support/test-app.js';

jest.setTimeout(30_000);

let redis: RedisServer;
let app: TestApp;
beforeAll(async () => {
  redis = await startRedis();
  app = await startTestApp({ env: { REDIS_URL: redis.url } });
});
afterAll(async () => {
  await app.close();
  await redis.close();
});
beforeEach(async () => {
  app.sandbox.control.reset();
  app.events.length = 0;
  await redis.client.flushall();
});

const keys = async (pattern: string): Promise<number> => (await redis.client.keys(pattern)).length;
const exists = async (...names: string[]): Promise<number> => redis.client.exists(...names);

/** Another browser with the same cookies. */
function twinOf(browser: Browser): Browser {
  const twin = app.browser();
  for (const [name, value] of browser.cookies) twin.cookies.set(name, value);
  return twin;
}

describe('visitors who do not sign in', () => {
  it('[C02] leave nothing behind, however many they are: no cookie, no session, no key', async () => {
    const production = await startTestApp({
      https: true,
      env: { REDIS_URL: redis.url },
      sandbox: app.sandbox,
    });
    try {
      const browser = production.browser();
      const paths = ['/', '/healthz', '/nowhere', '/assets/style.css', '/dashboard'];
      const cookies: string[] = [];
      for (let times = 0; times < 20; times += 1) {
        const round = Array.from({ length: 10 }, () =>
          paths.map((path) => browser.get(path)),
        ).flat();
        for (const { setCookies } of await Promise.all(round)) cookies.push(...setCookies);
      }
      expect(cookies).toEqual([]);
      expect(await redis.client.dbsize()).toBe(0);
    } finally {
      await production.close();
    }
  });

  it('[C02] get no session by starting a sign-in, by a failed one, or by signing out', async () => {
    const browser = app.browser();
    await browser.startLogin();
    await browser.get('/oauth/callback?code=x&state=y');
    await browser.send('POST', '/logout');
    expect(await keys('sess:*')).toBe(0);
    expect(browser.cookies.has(cookieNames(app).session)).toBe(false);
  });

  it('[D05] leave nothing behind either when an image or a frame asks for /login', async () => {
    for (const dest of ['image', 'iframe', 'script']) {
      expect((await app.browser().get('/login', { 'sec-fetch-dest': dest })).status).toBe(403);
    }
    expect(await redis.client.dbsize()).toBe(0);
  });

  it.each<[string, Record<string, string>, string]>([
    ['unsigned', { cookie: 'SESSION=attacker' }, ''],
    ['signed by somebody else', { cookie: `SESSION=${signed('attacker', 'x'.repeat(32))}` }, ''],
    [
      'with a cut signature',
      { cookie: `SESSION=${signed('attacker', SESSION_SECRET).slice(0, -4)}` },
      '',
    ],
    [
      'signed by us, of no session',
      { cookie: `SESSION=${signed('attacker', SESSION_SECRET)}` },
      '',
    ],
    ['in the query', {}, `?sid=attacker&SESSION=${signed('attacker', SESSION_SECRET)}`],
    ['in a header', { 'x-session-id': 'attacker', authorization: 'Bearer attacker' }, ''],
    ['as two cookies', { cookie: 'SESSION=attacker; SESSION=attacker' }, ''],
    ['very long', { cookie: `gb-session=s%3A${'a'.repeat(4000)}.x` }, ''],
  ])('[C04] are nobody with a session id that is %s', async (_what, headers, query) => {
    const named = (text: string): string => text.replaceAll('SESSION', cookieNames(app).session);
    const sent = Object.entries(headers).map(([name, value]) => [name, named(value)]);
    const answer = await app
      .browser()
      .get(`/dashboard${named(query)}`, Object.fromEntries(sent) as Record<string, string>);
    expect([answer.status, answer.setCookies]).toEqual([302, []]);
    expect(answer.location).toMatch(/^\/login\?/);
    expect(await redis.client.dbsize()).toBe(0);
  });
});

describe('signing in', () => {
  it('[C03] never takes up an id that was there before', async () => {
    const browser = app.browser();
    browser.cookies.set(cookieNames(app).session, signed('planted', SESSION_SECRET));
    await browser.signIn();
    expect(sessionIdOf(browser)).toMatch(/^[\w-]{32}$/);
    expect(sessionIdOf(browser)).not.toBe('planted');
    expect(await exists('sess:planted', `grant:${grantIdOf('planted')}`)).toBe(0);
    expect(await keys('sess:*')).toBe(1);

    const attacker = app.browser();
    attacker.cookies.set(cookieNames(app).session, signed('planted', SESSION_SECRET));
    expect(await isSignedIn(attacker)).toBe(false);
  });

  it('[C03] over a session takes a new id, deletes both old records and keeps nothing of them', async () => {
    const browser = app.browser();
    const [first, second] = [await browser.startLogin(), await browser.startLogin('/debts')];
    await browser.get(await browser.approve(first));
    const old = {
      browser: twinOf(browser),
      id: sessionIdOf(browser),
      csrf: await browser.csrfToken(),
    };
    expect(await exists(`sess:${old.id}`, `grant:${grantIdOf(old.id)}`)).toBe(2);

    expect((await browser.get(await browser.approve(second))).location).toBe('/debts'); // what is to survive does
    const id = sessionIdOf(browser);
    expect(id).not.toBe(old.id);
    expect(await exists(`sess:${old.id}`, `grant:${grantIdOf(old.id)}`)).toBe(0);
    expect(await exists(`sess:${id}`, `grant:${grantIdOf(id)}`)).toBe(2);
    expect((await old.browser.get('/dashboard')).location).toMatch(/^\/login/);

    const headers = { 'x-csrf-token': old.csrf, accept: 'application/json' };
    const refused = await browser.send('POST', '/logout', { headers });
    expect([refused.status, refused.json['error']]).toEqual([403, 'csrf']);
    expect(await isSignedIn(browser)).toBe(true);
  });

  it('[C03] over a session has the old grant revoked where GetBill offers it', async () => {
    const env = { REDIS_URL: redis.url, GETBILL_REVOKE_URL: `${app.sandbox.origin}/oauth/revoke` };
    const revoking = await startTestApp({ env, sandbox: app.sandbox });
    try {
      app.sandbox.control.set({ revocation: true });
      const browser = revoking.browser();
      const [first, second] = [await browser.startLogin(), await browser.startLogin()];
      await browser.get(await browser.approve(first));
      await browser.get(await browser.approve(second));
      while (!revoking.events.some(({ type }) => type === 'token_revoked'))
        await redis.client.ping();
      expect(revoking.events).toContainEqual(
        expect.objectContaining({ type: 'token_revoked', outcome: 'ok' }),
      );
      expect((await browser.get('/dashboard')).status).toBe(200); // the new one is alive
    } finally {
      await revoking.close();
    }
  });

  it('[A02] by ten callbacks at once makes one session, one token record and one token call', async () => {
    const browser = app.browser();
    const path = await browser.approve(await browser.startLogin());
    expect(await keys('login:*')).toBe(1);
    const answers = await Promise.all(Array.from({ length: 10 }, () => twinOf(browser).get(path)));
    expect(answers.map(({ status }) => status).sort()).toEqual([
      303,
      ...Array<number>(9).fill(400),
    ]);
    expect(codeCalls(app.sandbox)).toBe(1);
    expect([await keys('sess:*'), await keys('grant:*'), await keys('login:*')]).toEqual([1, 1, 0]);
  });
});

describe('what is to be stored', () => {
  /** An app whose session store sets as `set` says. */
  async function withSet(set: (real: Store['set']) => Store['set']): Promise<TestApp> {
    const wrap = (services: Services): Services => {
      services.sessions.set = set(
        services.sessions.set.bind(services.sessions),
      ) as SessionStore['set'];
      return services;
    };
    return await startTestApp({ env: { REDIS_URL: redis.url }, sandbox: app.sandbox, wrap });
  }

  it('[C09] is stored before the headers of the answer leave, once', async () => {
    const order: string[] = [];
    const slow = await withSet((real) => (id, session, done) => {
      setTimeout(() => {
        real(id, session, (error: unknown) => {
          order.push('stored');
          done?.(error);
        });
      }, 400);
    });
    try {
      const browser = slow.browser();
      const path = await browser.approve(await browser.startLogin());
      const answer = await browser.get(path).finally(() => order.push('answered'));
      expect(answer.status).toBe(303);
      expect(order).toEqual(['stored', 'answered']);
      expect((await browser.get('/dashboard')).status).toBe(200);
      expect(order).toEqual(['stored', 'answered']); // never written again
    } finally {
      await slow.close();
    }
  });

  it('[C09] and cannot be, makes the callback a 503 without a session cookie, a session or a token record', async () => {
    let attempts = 0;
    const failing = await withSet(() => (_id, _session, done) => {
      attempts += 1;
      done?.(new Error('full'));
    });
    try {
      const browser = failing.browser();
      const path = await browser.approve(await browser.startLogin());
      const answer = await browser.get(path, { accept: 'application/json' });
      expect([answer.status, answer.json['error'], answer.location]).toEqual([
        503,
        'storage_unavailable',
        undefined,
      ]);
      expect(answer.setCookies).toEqual([]);
      expect(attempts).toBe(1);
      await failing.services.tokens.idle();
      expect([await keys('sess:*'), await keys('grant:*')]).toEqual([0, 0]);
      expect(failing.events.map(({ type }) => type)).not.toContain('login_completed');
    } finally {
      await failing.close();
    }
  });

  it('[C09] and cannot be over a session that is there, leaves that one as it was', async () => {
    let attempts = 0;
    const failing = await withSet((real) => (id, session, done) => {
      attempts += 1;
      if (attempts === 1) real(id, session, done);
      else done?.(new Error('full'));
    });
    try {
      const browser = failing.browser();
      const [first, second] = [await browser.startLogin(), await browser.startLogin()];
      await browser.get(await browser.approve(first));
      const answer = await browser.get(await browser.approve(second));
      expect([answer.status, answer.setCookies]).toEqual([503, []]);
      expect(await isSignedIn(browser)).toBe(true);
      expect((await browser.get('/dashboard')).status).toBe(200);
      await failing.services.tokens.idle();
      expect([await keys('sess:*'), await keys('grant:*')]).toEqual([1, 1]);
      expect(attempts).toBe(2);
    } finally {
      await failing.close();
    }
  });

  /** Takes a command away from the app while `action` runs. */
  async function without<T>(command: string, action: () => Promise<T>): Promise<T> {
    await redis.client.acl('SETUSER', 'default', `-${command}`);
    try {
      return await action();
    } finally {
      await redis.client.acl('SETUSER', 'default', `+${command}`);
    }
  }

  it('[C09] and cannot be, makes /login a 503 that sends nobody to GetBill', async () => {
    const answer = await without('set', () => app.browser().get('/login'));
    expect([answer.status, answer.location, answer.setCookies]).toEqual([503, undefined, []]);
    expect(answer.headers['retry-after']).toBe('1');
  });

  it('[C09] a token record that cannot be, makes the callback a 503 without a cookie', async () => {
    const browser = app.browser();
    const path = await browser.approve(await browser.startLogin());
    const answer = await without('set', () => browser.get(path));
    expect([answer.status, answer.location, answer.setCookies]).toEqual([503, undefined, []]);
    expect([await keys('sess:*'), await keys('grant:*')]).toEqual([0, 0]);
    expect((await browser.get(path)).status).toBe(400); // a code is sent once
    expect(codeCalls(app.sandbox)).toBe(1);
  });

  it('[C09] a pending login that cannot be taken is still there afterwards', async () => {
    const browser = app.browser();
    const path = await browser.approve(await browser.startLogin());
    expect((await without('getdel', () => browser.get(path))).status).toBe(503);
    expect(codeCalls(app.sandbox)).toBe(0);
    expect((await browser.get(path)).status).toBe(303);
  });

  it.each(['getdel', 'del'])(
    '[C09] a sign-out that cannot be (no %s), is a 503 that does not say it was',
    async (command) => {
      const browser = app.browser();
      await browser.signIn();
      const headers = { 'x-csrf-token': await browser.csrfToken() };
      const answer = await without(command, () => browser.send('POST', '/logout', { headers }));
      expect([answer.status, answer.location, answer.setCookies]).toEqual([503, undefined, []]);
      expect((await browser.send('POST', '/logout', { headers })).location).toBe('/');
      expect([await keys('sess:*'), await keys('grant:*')]).toEqual([0, 0]);
    },
  );
});

/// <reference types="jest" />
import { readFileSync } from 'node:fs';
import { defaultClientSecret } from '../../sandbox/sandbox.js';
import { grantIdOf } from '../../src/web/session/session.js';
import type { Browser } from '../support/browser.js';
import { KEY_PREFIX, startRedis, type RedisServer } from '../support/redis-server.js';
import {
  cookieNames,
  isSignedIn,
  paramOf,
  sessionIdOf,
  tokenRequests,
} from '../support/sign-in.js';
import {
  SESSION_SECRET,
  startTestApp,
  TOKEN_ENCRYPTION_KEY,
  type TestApp,
} from '../support/test-app.js';

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
  app.sandbox.control.clearRequests();
  app.events.length = 0;
  await redis.client.flushall();
});

const otherKey = Buffer.alloc(32, 8).toString('base64');
const otherSecret = 'another-session-secret-0123456789abcdef';

/** Another process on the same Redis, as after a deploy; it remembers nothing of the first one. */
async function inAnotherProcess<T>(
  env: Record<string, string>,
  action: (process: TestApp) => Promise<T>,
): Promise<T> {
  const process = await startTestApp({
    env: { REDIS_URL: redis.url, PUBLIC_URL: app.publicUrl, ...env },
    sandbox: app.sandbox,
  });
  try {
    return await action(process);
  } finally {
    await process.close();
  }
}

/** The same person's browser, sending its cookies to another process. */
function movedTo(process: TestApp, browser: Browser): Browser {
  const moved = process.browser();
  for (const [name, value] of browser.cookies) moved.cookies.set(name, value);
  return moved;
}

async function signedIn(): Promise<{ browser: Browser; session: string; grant: string }> {
  const browser = app.browser();
  await browser.signIn();
  const id = sessionIdOf(browser);
  return { browser, session: `sess:${id}`, grant: `grant:${grantIdOf(id)}` };
}

/** Raw, base64 at each of the three alignments, hex, URL-encoded. */
function spellings(secret: string): string[] {
  const base64 = [0, 1, 2].flatMap((shift) => {
    const text = Buffer.from(`${'\0'.repeat(shift)}${secret}`).toString('base64');
    const inner = text.slice(shift === 0 ? 0 : 4, -4); // whole groups of nothing but the secret
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
  return [secret, ...base64, Buffer.from(secret).toString('hex'), encodeURIComponent(secret)];
}

describe('Redis', () => {
  it('[C12] holds sessions and token records, and gives every key a time', async () => {
    app.clock.skipMs(61_000); // what this process had taken of a limit before has ended
    const { session, grant } = await signedIn();
    await app.browser().startLogin();
    expect(await redis.client.exists(session, grant)).toBe(2);
    const most: Record<string, number> = { sess: 1_800_000, grant: 28_800_000, login: 3_600_000 };
    const kinds = new Set<string>();
    for (const key of await redis.client.keys('*')) {
      const kind = key.split(':')[0] ?? '';
      kinds.add(kind);
      const left = await redis.client.pttl(key);
      expect([key, left > 0 && left <= (most[kind] ?? 60_000)]).toEqual([key, true]);
    }
    expect([...kinds].sort()).toEqual(['arrival', 'grant', 'login', 'rate', 'sess']);
  });

  it('holds no key that the table of keys in docs/operations.md does not name', async () => {
    const monitor = await redis.raw.monitor();
    const used = new Set<string>();
    monitor.on('monitor', (_at: string, args: string[]) => {
      for (const arg of args)
        if (arg.startsWith(KEY_PREFIX)) used.add(arg.slice(KEY_PREFIX.length));
    });
    const env = {
      GETBILL_SCOPES: 'company:read debts:read debts:write followups:read',
      GETBILL_WEBHOOK_SECRET: 'a-webhook-secret-0123456789',
      GETBILL_WEBHOOK_COMPANY: 'a-company',
      FLOW_INSPECTOR: 'true',
    };
    await inAnotherProcess(env, async (process) => {
      const browser = process.browser();
      await browser.signIn();
      for (const path of ['/dashboard', '/readyz', '/explorer/post-debts']) await browser.get(path);
      const csrf = await browser.csrfToken();
      await browser.send('POST', '/explorer/post-debts', {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ _csrf: csrf, body: '{}' }).toString(),
      });
      process.sandbox.control.expireAccessTokens();
      process.sandbox.control.set({
        token: [{ mode: 'status', status: 503, grantType: 'refresh_token' }],
      });
      await browser.get('/api/debts');
      process.clock.skipMs(30_000);
      await browser.get('/api/debts');
      await process.services.announceSecret();
      await inAnotherProcess({ SESSION_SECRET: otherSecret }, (other) =>
        other.services.announceSecret(),
      );
    });
    await redis.raw.ping();
    monitor.disconnect();

    const table = readFileSync('docs/operations.md', 'utf8').split('### Keys and rights')[1] ?? '';
    const names = [...(table.split('###')[0] ?? '').matchAll(/^\| (`[^|]+) \|/gm)].flatMap(
      ([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
    );
    const isOf = (name: string, key: string): boolean =>
      name.endsWith(':') ? key.startsWith(name) : key === name;
    const keys = [...used];
    expect(keys.filter((key) => !names.some((name) => isOf(name, key)))).toEqual([]);
    expect(names.filter((name) => !keys.some((key) => isOf(name, key)))).toEqual([
      'webhook:seen:', // no webhook came
      'webhook:given-up:',
      'webhook:barrier:',
      'tour:',
    ]);
  });

  it('[A04] [A05] keeps 50 logins of one browser small and for an hour at most', async () => {
    const browser = app.browser();
    for (let times = 0; times < 50; times += 1)
      await browser.startLogin(`/debts?${'q'.repeat(1000)}`);
    const pending = await redis.client.keys('login:*');
    expect(pending).toHaveLength(50);
    for (const key of pending) {
      expect(await redis.client.strlen(key)).toBeLessThan(2048);
      const left = await redis.client.pttl(key);
      expect(left > 0 && left <= 3_600_000).toBe(true);
    }
  });

  it('[B02] shows no token, code, verifier, state or secret at any time, in whatever spelling', async () => {
    const dumps: string[] = [];
    const browser = app.browser();
    const url = await browser.startLogin();
    dumps.push(await redis.dump());
    await browser.get(await browser.approve(url));
    await browser.get('/dashboard');
    dumps.push(await redis.dump());
    const csrfToken = await browser.csrfToken();

    app.sandbox.control.expireAccessTokens(); // so that the refresh token is sent, too
    app.clock.skipMs(61_000); // past what the dashboard keeps
    expect((await browser.get('/dashboard')).status).toBe(200);
    dumps.push(await redis.dump());

    const forms = tokenRequests(app.sandbox).map(({ form }) => form);
    const bearers = app.sandbox.control.requests().flatMap(({ rawHeaders }) => rawHeaders.filter((text) => text.startsWith('Bearer '))); // prettier-ignore
    const learnt = {
      state: paramOf(url, 'state'),
      binding: browser.cookies.get(cookieNames(app).login) ?? '',
      code: forms[0]?.get('code') ?? '',
      codeVerifier: forms[0]?.get('code_verifier') ?? '',
      refreshToken: forms[1]?.get('refresh_token') ?? '',
      firstAccessToken: bearers[0]?.slice(7) ?? '',
      secondAccessToken: bearers.at(-1)?.slice(7) ?? '',
      clientSecret: defaultClientSecret,
      sessionSecret: SESSION_SECRET,
      encryptionKey: TOKEN_ENCRYPTION_KEY,
      csrfToken,
    };
    expect(learnt.firstAccessToken).not.toBe(learnt.secondAccessToken);
    const all = dumps.join('\n');
    for (const [name, value] of Object.entries(learnt)) {
      expect([name, value.length > 10]).toEqual([name, true]);
      for (const spelling of spellings(value))
        expect([name, all.includes(spelling)]).toEqual([name, false]);
    }
    expect(app.logged() + JSON.stringify(app.events)).not.toContain(learnt.refreshToken);
    for (const value of Object.values(learnt))
      expect(app.logged() + JSON.stringify(app.events)).not.toContain(value);
  });

  it('[B02] lends nobody a record that was copied from another session', async () => {
    const [victim, thief] = [await signedIn(), await signedIn()];
    await redis.client.set(thief.grant, (await redis.client.get(victim.grant)) ?? '', 'PX', 60_000);
    await inAnotherProcess({}, async (process) => {
      const answer = await movedTo(process, thief.browser).get('/dashboard');
      expect([answer.status, answer.location]).toEqual([302, '/login?returnTo=%2Fdashboard']);
      expect((await movedTo(process, victim.browser).get('/dashboard')).status).toBe(200);
    });
    expect(await redis.client.exists(thief.grant, thief.session)).toBe(0);
  });
});

describe('a session record that somebody has broken', () => {
  it.each<[string, (key: string) => Promise<unknown>]>([
    ['{garbage', (key) => redis.client.set(key, '{garbage', 'KEEPTTL')],
    ['"str"', (key) => redis.client.set(key, '"str"', 'KEEPTTL')],
    ['{"a":1}', (key) => redis.client.set(key, '{"a":1}', 'KEEPTTL')],
    [
      'a hash',
      async (key) => [await redis.client.del(key), await redis.client.hset(key, 'a', '1')],
    ],
  ])('[C11] (%s) is no session: sign in again, nothing worse', async (_what, breakIt) => {
    const { browser, session } = await signedIn();
    await breakIt(session);
    const page = await browser.get('/dashboard');
    expect([page.status, page.location]).toEqual([302, '/login?returnTo=%2Fdashboard']);
    expect(await redis.client.exists(session)).toBe(0);
    expect(app.events).toContainEqual(expect.objectContaining({ type: 'session_broken' }));

    await breakIt(session);
    const api = await browser.get('/api/debts');
    expect([api.status, api.json]).toMatchObject([
      401,
      { error: 'not_signed_in', login_url: '/login' },
    ]);
    expect(await redis.client.exists(session)).toBe(0);
  });

  it('[C05] and one that cannot be touched goes on as it is', async () => {
    const { browser, session } = await signedIn();
    await redis.client.config('SET', 'min-replicas-to-write', '1');
    try {
      expect(await isSignedIn(browser)).toBe(true);
      while (!app.events.some(({ type }) => type === 'session_touch_failed'))
        await redis.client.ping();
    } finally {
      await redis.client.config('SET', 'min-replicas-to-write', '0');
    }
    expect(await redis.client.exists(session)).toBe(1);
    expect((await browser.get('/dashboard')).status).toBe(200);
  });
});

describe('a token record that cannot be read', () => {
  it('[B03] because one byte has changed is a new sign-in, and the record is gone', async () => {
    const { browser, session, grant } = await signedIn();
    const sealed = (await redis.client.get(grant)) ?? '';
    await redis.client.set(
      grant,
      `${sealed.slice(0, 40)}${sealed[40] === 'A' ? 'B' : 'A'}${sealed.slice(41)}`,
      'KEEPTTL',
    );
    await inAnotherProcess({}, async (process) => {
      const answer = await movedTo(process, browser).get('/dashboard');
      expect([answer.status, answer.location]).toEqual([302, '/login?returnTo=%2Fdashboard']);
      expect(process.events).toContainEqual(
        expect.objectContaining({ type: 'session_ended', reason: 'broken_record' }),
      );
    });
    expect(await redis.client.exists(grant, session)).toBe(0);
  });

  it('[B03] because its key is unknown here is 503 with an event, and everything is left alone', async () => {
    const { browser, session, grant } = await signedIn();
    const sealed = await redis.client.get(grant);
    await inAnotherProcess({ TOKEN_ENCRYPTION_KEY: otherKey }, async (process) => {
      for (const path of ['/dashboard', '/api/debts', '/login']) {
        const answer = await movedTo(process, browser).get(path);
        expect([path, answer.status, answer.setCookies]).toEqual([path, 503, []]);
      }
      expect(process.events).toContainEqual(expect.objectContaining({ type: 'key_missing' }));
    });
    expect(await redis.client.get(grant)).toBe(sealed);
    expect(await redis.client.exists(session)).toBe(1);
    expect((await browser.get('/dashboard')).status).toBe(200);
  });
});

describe('rotating', () => {
  it('[B03] the encryption key leaves everybody signed in; the next renewal writes with the new one', async () => {
    const { browser, grant } = await signedIn();
    const writtenWith = async (): Promise<string | undefined> =>
      (await redis.client.get(grant))?.split('.')[0];
    const oldKeyId = await writtenWith();
    await inAnotherProcess(
      { TOKEN_ENCRYPTION_KEY: `${otherKey},${TOKEN_ENCRYPTION_KEY}` },
      async (process) => {
        const moved = movedTo(process, browser);
        expect((await moved.get('/dashboard')).status).toBe(200);
        expect(await writtenWith()).toBe(oldKeyId);
        app.sandbox.control.expireAccessTokens();
        expect((await moved.get('/api/debts')).status).toBe(200);
        expect(await writtenWith()).not.toBe(oldKeyId);
      },
    );
    await inAnotherProcess({ TOKEN_ENCRYPTION_KEY: otherKey }, async (process) => {
      expect((await movedTo(process, browser).get('/dashboard')).status).toBe(200);
    });
  });

  it('[C13] the session secret leaves everybody signed in while the old one is listed, and nobody afterwards', async () => {
    const { browser, session } = await signedIn();
    await inAnotherProcess(
      { SESSION_SECRET: `${otherSecret},${SESSION_SECRET}` },
      async (process) => {
        expect((await movedTo(process, browser).get('/dashboard')).status).toBe(200);
        const later = process.browser();
        await later.signIn(); // signed with the new one already
        await inAnotherProcess({ SESSION_SECRET: otherSecret }, async (last) => {
          expect(await isSignedIn(movedTo(last, later))).toBe(true);
          expect(await isSignedIn(movedTo(last, browser))).toBe(false);
          expect((await movedTo(last, browser).get('/dashboard')).status).toBe(302);
        });
      },
    );
    expect(await redis.client.exists(session)).toBe(1);
  });
});

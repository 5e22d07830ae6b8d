// Each test shows first that the guide's sample fails, then that the app does not. The table: docs/why-not-the-sample.md.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';
import type { Store } from 'express-session';
import type { SessionStore } from '../../src/web/session/session-store.js';
import { defaultClientSecret, type Sandbox } from '../../sandbox/sandbox.js';
import { parseConfig } from '../../src/config/config.js';
import type { ConfigError } from '../../src/errors.js';
import { until } from '../support/until.js';
import type { Browser } from '../support/browser.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';
import { codeCalls, paramOf, signed, walk } from '../support/sign-in.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { SAMPLE_SESSION_SECRET, startSampleApp, type SampleApp } from './support/sample-app.js';
import {
  ATTACKER,
  companyOf,
  onItsWay,
  signedIn,
  VICTIM,
  withCookiesOf,
  type Site,
} from './support/sites.js';
import {
  holdNextRead,
  holdNextSessionRead,
  holdNextWrite,
  type Held,
} from './support/storage-on-a-bad-day.js';

jest.setTimeout(60_000);

const TO_SIGN_IN = expect.stringMatching(/^\/login/) as unknown;

let redis: RedisServer;
let app: TestApp;
let sample: SampleApp;
let control: Sandbox['control'];
let appSessions: SessionStore;
beforeAll(async () => {
  redis = await startRedis();
  app = await startTestApp({
    env: { REDIS_URL: redis.url },
    faults: { consent: 'ask' },
    wrap: (services) => {
      appSessions = services.sessions;
      return services;
    },
  });
  control = app.sandbox.control;
  sample = await startSampleApp({ sandbox: app.sandbox });
});
afterAll(async () => {
  await sample.close();
  await app.close();
  await redis.close();
});
beforeEach(() => {
  control.reset();
  control.clearRequests();
});

/** What keeps the app from starting. */
function problemsOf(env: Record<string, string>): string {
  try {
    parseConfig(env);
    return '';
  } catch (error) {
    return (error as ConfigError).problems.join();
  }
}

describe('who is signed in', () => {
  it("a link without a state signs the victim in to the attacker's account; ours refuses it", async () => {
    async function attack(site: Site) {
      const { code } = await onItsWay(site, { company: ATTACKER });
      const victim = site.browser();
      const { status } = await victim.get(`/oauth/callback?code=${code}`);
      return [status, await companyOf(victim)];
    }
    expect(await attack(sample)).toEqual([302, ATTACKER]); // undefined equals undefined
    expect(await attack(app)).toEqual([400, undefined]);
  });

  it("a code that was seen on its way signs the thief in; ours needs the browser's verifier", async () => {
    async function attack(site: Site) {
      const { code } = await onItsWay(site, { company: VICTIM });
      const thief = site.browser();
      const state = paramOf(await thief.startLogin(), 'state');
      const { status } = await thief.get(`/oauth/callback?code=${code}&state=${state}`);
      return [status, await companyOf(thief)];
    }
    expect(await attack(sample)).toEqual([302, VICTIM]);
    expect(await attack(app)).toEqual([400, undefined]);
    expect(codeCalls(app.sandbox)).toBe(2); // it was GetBill that refused it
  });

  it('a session that the attacker planted is signed in by the victim; ours takes a new id', async () => {
    async function attack(site: Site) {
      const attacker = site.browser();
      await attacker.startLogin();
      const victim = withCookiesOf(attacker, site);
      await victim.signIn({ company: VICTIM });
      return [await companyOf(victim), await companyOf(attacker)];
    }
    expect(await attack(sample)).toEqual([VICTIM, VICTIM]);
    expect(await attack(app)).toEqual([VICTIM, undefined]);
  });

  it('the secret that the guide prints signs anybody a session id; ours does not start with it', async () => {
    const browser = await signedIn(sample);
    const cookie = browser.cookies.get('connect.sid') ?? '';
    const [, id = ''] = /^s:(.+)\./.exec(decodeURIComponent(cookie)) ?? [];
    expect(signed(id, SAMPLE_SESSION_SECRET)).toBe(cookie);

    expect(problemsOf({ SESSION_SECRET: SAMPLE_SESSION_SECRET })).toMatch(
      /SESSION_SECRET still holds a placeholder/,
    );
  });

  it("a state from Math.random is known to whoever works out the generator, and signs the victim in to the attacker's account; ours does not come from it", async () => {
    async function attack(site: Site) {
      const { code } = await onItsWay(site, { company: ATTACKER });
      const next = 0.123456789; // four states of one's own give away V8's generator, and so this number
      const random = jest.spyOn(Math, 'random').mockReturnValue(next);
      const victim = site.browser();
      await victim.startLogin();
      random.mockRestore();
      await victim.get(`/oauth/callback?code=${code}&state=${next.toString(36).substring(2, 15)}`);
      return await companyOf(victim);
    }
    expect(await attack(sample)).toBe(ATTACKER);
    expect(await attack(app)).toBeUndefined();
  });

  it('a session has no end; ours is over after eight hours', async () => {
    async function nineHoursLater(site: Site) {
      const browser = await signedIn(site);
      const realNow = Date.now.bind(Date);
      const clock = jest.spyOn(Date, 'now').mockImplementation(() => realNow() + 9 * 3_600_000);
      try {
        return (await browser.get('/dashboard')).location;
      } finally {
        clock.mockRestore();
      }
    }
    expect(await nineHoursLater(sample)).toBeUndefined();
    app.events.length = 0;
    expect(await nineHoursLater(app)).toEqual(TO_SIGN_IN);
    expect(app.events).toContainEqual({ type: 'session_expired' });
  });

  it('nobody can sign out; ours has a button for it', async () => {
    expect((await (await signedIn(sample)).send('POST', '/logout')).status).toBe(404);
    const browser = await signedIn(app);
    expect([(await browser.signOut()).status, await companyOf(browser)]).toEqual([303, undefined]);
  });
});

describe('what is sent to GetBill', () => {
  it('a token call that is redirected with 307 hands the client secret over; ours ends there', async () => {
    const bodies: string[] = [];
    const evil = createServer((req, res) => {
      req.setEncoding('utf8').on('data', (text: string) => bodies.push(text));
      req.on('end', () => res.end('{}'));
    });
    await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', () => resolve()));
    const location = `http://127.0.0.1:${(evil.address() as AddressInfo).port}/`;
    async function attack(site: Site) {
      const { browser, path } = await onItsWay(site);
      control.set({ token: [{ mode: 'redirect', status: 307, location }] });
      await browser.get(path);
      return bodies.splice(0).join();
    }
    try {
      expect(await attack(sample)).toContain(`client_secret=${defaultClientSecret}`);
      expect(await attack(app)).toBe('');
    } finally {
      evil.closeAllConnections();
      evil.close();
    }
  });

  it('a callback that comes twice sends its code twice, and GetBill ends the grant; ours sends it once', async () => {
    async function twice(site: Site) {
      control.reset();
      const { browser, path } = await onItsWay(site);
      await browser.get(path);
      const { status } = await browser.get(path); // the Back button, a reload, a careful proxy
      return [status, codeCalls(app.sandbox), await companyOf(browser)];
    }
    expect(await twice(sample)).toEqual([500, 2, undefined]);
    expect(await twice(app)).toEqual([303, 1, VICTIM]);
  });

  it('a "No" at GetBill is answered with a token call and a 500; ours says what happened', async () => {
    async function refuse(site: Site) {
      control.reset();
      const { browser, path } = await onItsWay(site, { decision: 'deny' });
      return [(await browser.get(path)).status, codeCalls(app.sandbox)];
    }
    expect(await refuse(sample)).toEqual([500, 1]);
    expect(await refuse(app)).toEqual([403, 0]);
  });

  it('a token endpoint that hangs holds the visitor for as long as it likes; ours has a deadline', async () => {
    const hasty = await startTestApp({ env: { GETBILL_TIMEOUT_MS: '250' }, sandbox: app.sandbox });
    try {
      const [theirs, mine] = [await onItsWay(sample), await onItsWay(hasty)];
      control.set({ token: [{ mode: 'hold', times: 2 }] });
      let answered = false;
      const waiting = theirs.browser.get(theirs.path).finally(() => (answered = true));
      await until('the sample waits', () => control.state().held === 1);
      expect([(await mine.browser.get(mine.path)).status, answered]).toEqual([504, false]);
      control.release();
      await waiting;
    } finally {
      await hasty.close();
    }
  });

  it('an API that hangs does the same; ours has a deadline there too', async () => {
    const hasty = await startTestApp({ env: { GETBILL_TIMEOUT_MS: '250' }, sandbox: app.sandbox });
    try {
      const [theirs, mine] = [await signedIn(sample), await signedIn(hasty)];
      control.set({ api: [{ mode: 'hold', times: 0 }] });
      let answered = false;
      const waiting = theirs.get('/dashboard').finally(() => (answered = true));
      await until('the sample waits', () => control.state().held === 1);
      expect([(await mine.get('/dashboard')).status, answered]).toEqual([504, false]);
      control.release();
      await waiting;
    } finally {
      await hasty.close();
    }
  });
});

describe('what is stored', () => {
  const stored = (): Promise<object> =>
    new Promise((resolve) => sample.sessions.all((_error, all) => resolve(all ?? {})));

  it('every visitor leaves a session for ever; ours keeps nothing of one who does not sign in', async () => {
    const before = Object.keys(await stored()).length;
    const keys = await redis.client.dbsize();
    for (let visitor = 0; visitor < 20; visitor += 1) {
      await sample.browser().get('/dashboard');
      await app.browser().get('/dashboard');
    }
    expect(Object.keys(await stored()).length - before).toBe(20);
    expect((await redis.client.dbsize()) - keys).toBe(0);
  });

  it('tokens lie in the session as they came; ours are encrypted', async () => {
    const access_token = 'CANARY-access';
    const token = {
      mode: 'body',
      override: { access_token, refresh_token: 'CANARY-refresh' },
    } as const;
    control.set({ token: [{ ...token, times: 2 }] });
    await signedIn(sample);
    await signedIn(app);
    expect(JSON.stringify(await stored())).toMatch(/CANARY-access.*CANARY-refresh/);
    expect(await redis.dump()).toContain('grant:');
    expect(await redis.dump()).not.toContain('CANARY');
  });

  it('a second tab overwrites the state of the first, which is refused; ours finishes both', async () => {
    async function twoTabs(site: Site) {
      const browser = site.browser();
      const tabs = [await browser.startLogin(), await browser.startLogin()];
      const paths = [await browser.approve(tabs[0] ?? ''), await browser.approve(tabs[1] ?? '')];
      return [
        (await browser.get(paths[0] ?? '')).status,
        (await browser.get(paths[1] ?? '')).status,
      ];
    }
    expect(await twoTabs(sample)).toEqual([400, 302]);
    expect(await twoTabs(app)).toEqual([303, 303]);
  });

  it('a request that read the session before sign-in writes the tokens away; ours writes a session once', async () => {
    /** One tab signs in while another one's /login still has the session as it was. */
    async function twoTabs(read: Held, { browser, path }: { browser: Browser; path: string }) {
      const otherTab = browser.get('/login');
      await until('the other tab has read', read.isThere);
      await browser.get(path);
      read.letGo();
      await otherTab;
      return await companyOf(browser);
    }
    const onTheWay = await onItsWay(sample);
    expect(await twoTabs(holdNextRead(sample.sessions), onTheWay)).toBeUndefined();

    const browser = app.browser(); // signed in already: before that there is no session to read
    const [first, second] = [await browser.startLogin(), await browser.startLogin()];
    await browser.get(await browser.approve(first));
    const path = await browser.approve(second);
    expect(await twoTabs(holdNextSessionRead(appSessions), { browser, path })).toBe(VICTIM);
  });

  it('the redirect leaves before the session is stored, and leads to the sign-in again; ours waits', async () => {
    async function fastBrowser(site: Site, store: Store) {
      const { browser, path } = await onItsWay(site);
      const write = holdNextWrite(store);
      const cookie = Array.from(browser.cookies, ([name, value]) => `${name}=${value}`).join('; ');
      const progress = { redirected: false };
      const callback = request(site.origin + path, { headers: { cookie } }).finally(
        () => (progress.redirected = true),
      );
      await until('the session is being written', write.isThere);
      const next = await browser.get('/dashboard');
      const seen = progress.redirected ? next.location : 'no redirect yet';
      write.letGo();
      await (await callback).body.dump();
      return seen;
    }
    expect(await fastBrowser(sample, sample.sessions)).toBe('/login');
    expect(await fastBrowser(app, appSessions)).toBe('no redirect yet');
  });

  it('a restart, or a second process, knows nobody; ours finds everybody in Redis', async () => {
    const secondSample = await startSampleApp({ sandbox: app.sandbox });
    const env = { REDIS_URL: redis.url, PUBLIC_URL: app.publicUrl };
    const second = await startTestApp({ env, sandbox: app.sandbox });
    try {
      const moved = [
        withCookiesOf(await signedIn(sample), secondSample),
        withCookiesOf(await signedIn(app), second),
      ];
      expect(await Promise.all(moved.map((browser) => companyOf(browser)))).toEqual([
        undefined,
        VICTIM,
      ]);
    } finally {
      await secondSample.close();
      await second.close();
    }
  });
});

describe('what the visitor sees', () => {
  it('an hour later there is an error in place of the company, for good; ours is renewed', async () => {
    async function anHourLater(site: Site) {
      const browser = await signedIn(site);
      control.expireAccessTokens();
      return [(await browser.get('/dashboard')).status, await companyOf(browser)];
    }
    expect(await anHourLater(sample)).toEqual([200, undefined]); // GetBill's 401, passed on as a 200
    expect(await anHourLater(app)).toEqual([200, VICTIM]);
  });

  it('a scope that was not granted is not noticed; ours says what is missing', async () => {
    async function without(site: Site) {
      const browser = await signedIn(site, { scopes: ['debts:read'] });
      return (await browser.get('/dashboard')).text;
    }
    expect(JSON.parse(await without(sample))).toMatchObject({ error: true, code: 403 });
    expect(await without(app)).toContain('Not shared with this app');
  });

  it("a firewall's page in place of JSON is a 500 of our own; ours is a 502 that names it", async () => {
    const theirs = await signedIn(sample);
    const ours = await signedIn(app);
    control.set({ api: [{ mode: 'html', times: 2 }] });
    expect((await theirs.get('/dashboard')).status).toBe(500);
    const answer = await ours.get('/api/company/profile', { accept: 'application/json' });
    expect([answer.status, answer.json['error']]).toEqual([502, 'answer_not_json']);
  });

  it('an answer without a token sends the browser round and round; ours stops', async () => {
    async function goRound(site: Site) {
      control.set({ token: [{ mode: 'body', remove: ['access_token'], times: 0 }] });
      const browser = site.browser();
      return await walk({ ...app, publicUrl: site.origin }, '/login', (path) => browser.get(path));
    }
    await expect(goRound(sample)).rejects.toThrow(/a loop/);
    expect((await goRound(app)).answer.status).toBe(502);
  });

  it('a script is sent to GetBill, which it may not read; ours gets 401 as JSON', async () => {
    const asScript = {
      'sec-fetch-mode': 'cors',
      'sec-fetch-dest': 'empty',
      accept: 'application/json',
    };
    expect((await sample.browser().get('/dashboard', asScript)).location).toBe('/login');
    const answer = await app.browser().get('/api/company/profile', asScript);
    expect([answer.status, answer.json['login_url']]).toEqual([401, '/login']);
  });

  it('company data may be kept by any cache; ours forbids it', async () => {
    const kept = async (site: Site) =>
      (await (await signedIn(site)).get('/dashboard')).headers['cache-control'];
    expect(await kept(sample)).toBeUndefined();
    expect(await kept(app)).toBe('no-store');
  });

  it('the cookie leaves it to the browser which sites may send it; ours is Lax', async () => {
    const attributes = async (site: Site) => (await site.browser().get('/login')).setCookies.join();
    expect(await attributes(sample)).toMatch(/^connect\.sid=[^;]+; Path=\/; HttpOnly$/);
    expect(await attributes(app)).toMatch(/; HttpOnly; SameSite=Lax$/);
  });
});

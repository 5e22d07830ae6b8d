import { existsSync, readFileSync } from 'node:fs';
import type { TokenFault } from '../../sandbox/faults.js';
import type { Browser } from '../support/browser.js';
import { until } from '../support/until.js';
import { startRedis } from '../support/redis-server.js';
import { startMinimal, type Minimal } from './support/minimal-app.js';

const HOUR_MS = 3_600_000;
const refreshes = ({ sandbox }: Minimal): number =>
  sandbox.control.state().counters.tokenByGrant.refresh_token;
/** The second caller has read the old token before the first has stored the new one. */
const slowRefresh: TokenFault = { mode: 'delay', ms: 400, grantType: 'refresh_token', times: 0 };

async function using<T extends { close(): Promise<void> }>(
  resource: Promise<T>,
  use: (it: T) => Promise<void>,
) {
  const it = await resource;
  try {
    await use(it);
  } finally {
    await it.close();
  }
}

async function company(...browsers: Browser[]): Promise<number[]> {
  const responses = await Promise.all(browsers.map((browser) => browser.get('/company')));
  return responses.map(({ status }) => status);
}

const times = (count: number, browser: Browser): Browser[] => Array<Browser>(count).fill(browser);

describe('the minimal example', () => {
  it('is one file of at most 150 lines of 100 columns', () => {
    const lines = readFileSync('examples/minimal/app.ts', 'utf8').trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(150);
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
  });

  it('signs in, shows the company, renews once for ten calls, and signs out', () =>
    using(startMinimal(), async (minimal) => {
      const app = await minimal.start();
      const browser = app.browser();
      expect((await browser.get('/company')).location).toBe('/login');
      expect((await browser.get(await browser.approve(await browser.startLogin()))).location).toBe(
        '/company',
      );
      expect((await browser.get('/company')).json).toMatchObject({
        data: { name: 'Example Collections LLC' },
      });

      await app.steer({ skipMs: HOUR_MS });
      expect(await company(...times(10, browser))).toEqual(Array(10).fill(200));
      expect(refreshes(minimal)).toBe(1);

      await browser.send('POST', '/logout');
      expect((await browser.get('/company')).location).toBe('/login');
    }));

  it('takes a GETBILL_BASE_URL that ends with a slash', () =>
    using(startMinimal(), async (minimal) => {
      const app = await minimal.start({ GETBILL_BASE_URL: `${minimal.sandbox.origin}/` });
      const browser = app.browser();
      const authorizeUrl = new URL(await browser.startLogin());
      expect(authorizeUrl.pathname).toBe('/oauth/authorize');
      await browser.get(await browser.approve(authorizeUrl.href));
      expect(await company(browser)).toEqual([200]);
    }));

  it('refuses a callback in another browser, with another state, and a second time', () =>
    using(startMinimal(), async (minimal) => {
      const app = await minimal.start();
      const browser = app.browser();
      const callback = await browser.approve(await browser.startLogin());
      expect((await app.browser().get(callback)).status).toBe(400);
      const id = browser.cookies.get('connect.sid');
      expect((await browser.get(callback)).location).toBe('/company');
      expect(browser.cookies.get('connect.sid')).not.toBe(id); // a session id from before the sign-in is worth nothing
      expect((await browser.get(callback)).status).toBe(400);
      await browser.startLogin();
      expect((await browser.get('/oauth/callback?code=made-up&state=made-up')).status).toBe(500);
      expect(minimal.sandbox.control.state().counters.tokenByGrant.authorization_code).toBe(1);
    }));

  it('keeps the person signed in while GetBill has trouble, and asks for a sign-in when the grant is dead', () =>
    using(startMinimal(), async (minimal) => {
      const app = await minimal.start();
      const browser = app.browser();
      await browser.signIn();
      await app.steer({ skipMs: HOUR_MS });
      minimal.sandbox.control.set({ token: [{ mode: 'status', status: 503, times: 1 }] });
      expect(await company(browser)).toEqual([500]);
      expect(await company(browser)).toEqual([200]);

      minimal.sandbox.control.revokeGrants();
      await app.steer({ skipMs: HOUR_MS });
      expect((await browser.get('/company')).location).toBe('/login');
    }));
});

it.each([[[]], [['lost-writes']], [['nobody-waits']]])(
  'the minimal example asks for a sign-in when a token without a refresh token has expired, with %j',
  (diffs: string[]) =>
    using(startMinimal({ diffs }), async (minimal) => {
      const app = await minimal.start();
      const browser = app.browser();
      minimal.sandbox.control.set({
        token: [{ mode: 'body', remove: ['refresh_token'], grantType: 'authorization_code' }],
      });
      await browser.signIn();
      await app.steer({ skipMs: HOUR_MS - 30_000 });
      expect(await company(browser)).toEqual([200]);
      await app.steer({ skipMs: HOUR_MS });
      expect((await browser.get('/company')).location).toBe('/login');
      expect(refreshes(minimal)).toBe(0);
      await browser.signIn();
      expect(await company(browser)).toEqual([200]);
    }),
);

describe('two-processes.diff', () => {
  const diffs = ['two-processes'];

  async function tenCallsEach(minimal: Minimal): Promise<number[]> {
    const redis = await startRedis();
    try {
      const env = { REDIS_URL: redis.url.replace('unix://', '') };
      const [first, second] = await Promise.all([minimal.start(env), minimal.start(env)]);
      const here = first.browser();
      await here.signIn();
      const there = second.browser({ like: here });
      expect(await company(here, there)).toEqual([200, 200]);
      minimal.sandbox.control.set({ token: [slowRefresh] });
      await Promise.all([first.steer({ skipMs: HOUR_MS }), second.steer({ skipMs: HOUR_MS })]);
      await company(...times(10, here), ...times(10, there));
      return await company(here, there);
    } finally {
      await redis.close();
    }
  }

  it('without it, the second process does not know who signed in at the first', () =>
    using(startMinimal(), async (minimal) => {
      const [first, second] = await Promise.all([minimal.start(), minimal.start()]);
      const here = first.browser();
      await here.signIn();
      expect((await second.browser({ like: here }).get('/company')).location).toBe('/login');
    }));

  it('without its lease, two processes spend one refresh token, and the grant dies', () =>
    using(
      startMinimal({ diffs, edit: (text) => text.replace(/^ +while \(\(await redis.*$/m, '') }),
      async (minimal) => {
        expect(await tenCallsEach(minimal)).toEqual([302, 302]);
        expect(refreshes(minimal)).toBe(2);
      },
    ));

  it('without its second read, the waiting process spends the token that was just renewed', () =>
    using(
      startMinimal({ diffs, edit: (text) => text.replace(/^ +if .*!isDue\(old\)\) .*$/m, '') }),
      async (minimal) => {
        await tenCallsEach(minimal);
        expect(refreshes(minimal)).toBe(2);
      },
    ));

  it('with it, two processes renew once between them', () =>
    using(startMinimal({ diffs }), async (minimal) => {
      expect(await tenCallsEach(minimal)).toEqual([200, 200]);
      expect(refreshes(minimal)).toBe(1);
    }));
});

describe('lost-writes.diff', () => {
  const failingWrites = (text: string): string =>
    text.replace('void records.set(grantId, tokens)', '{ if (globalThis.writesFail) throw Error("away"); records.set(grantId, tokens); }'); // prettier-ignore

  /** The storage takes nothing while the token is renewed, and comes back; then a second renewal is due. */
  async function renewWhileStorageIsAway(minimal: Minimal): Promise<number[]> {
    const app = await minimal.start();
    const browser = app.browser();
    await browser.signIn();
    await app.steer({ skipMs: HOUR_MS, writesFail: true });
    const during = await company(browser);
    await app.steer({ writesFail: false });
    return [...during, ...(await company(browser))];
  }

  it('without it, a renewed token that cannot be stored is lost, and the grant dies', () =>
    using(startMinimal({ edit: failingWrites }), async (minimal) => {
      expect(await renewWhileStorageIsAway(minimal)).toEqual([500, 302]);
    }));

  it('with it, the renewed token serves until the storage takes it', () =>
    using(startMinimal({ diffs: ['lost-writes'], edit: failingWrites }), async (minimal) => {
      expect(await renewWhileStorageIsAway(minimal)).toEqual([200, 200]);
      expect(refreshes(minimal)).toBe(1);
    }));

  /** The first wait for the storage is longer than all others; `/stored` answers after it. */
  const slowFirstWait = (text: string): string =>
    failingWrites(text)
      .replace('await delay(200)', 'await (globalThis.firstWait ? delay(50) : (globalThis.firstWait = delay(1000)))') // prettier-ignore
      .replace('app.listen(', "app.get('/stored', async (_req, res) => { await globalThis.firstWait; res.json({ left: pendingWrites.size }); });\napp.listen("); // prettier-ignore

  it('with it, of two renewals while the storage is away the newer is kept, whichever waits longer', () =>
    using(startMinimal({ diffs: ['lost-writes'], edit: slowFirstWait }), async (minimal) => {
      const app = await minimal.start();
      const browser = app.browser();
      await browser.signIn();
      await app.steer({ skipMs: HOUR_MS, writesFail: true });
      expect(await company(browser)).toEqual([200]);
      await app.steer({ skipMs: HOUR_MS });
      expect(await company(browser)).toEqual([200]);
      await app.steer({ writesFail: false });
      await until('all is stored', async () => (await browser.get('/stored')).json['left'] === 0);

      await app.steer({ skipMs: HOUR_MS });
      expect(await company(browser)).toEqual([200]);
      expect(refreshes(minimal)).toBe(3);
    }));
});

describe('nobody-waits.diff', () => {
  /** Half a minute before expiry, at a token endpoint that holds every refresh. */
  async function callInTheLastMinute(minimal: Minimal): Promise<number[]> {
    const app = await minimal.start();
    const browser = app.browser();
    await browser.signIn();
    await app.steer({ skipMs: HOUR_MS - 30_000 });
    minimal.sandbox.control.set({
      token: [{ mode: 'hold', grantType: 'refresh_token', times: 0 }],
    });
    return await company(browser);
  }
  const held = ({ sandbox }: Minimal): number => sandbox.control.state().held;

  it('without it, nothing is renewed before the token has expired: then the first caller waits', () =>
    using(startMinimal(), async (minimal) => {
      expect(await callInTheLastMinute(minimal)).toEqual([200]);
      expect(held(minimal)).toBe(0);
    }));

  it('with it, the caller has the response while the renewal is still under way', () =>
    using(startMinimal({ diffs: ['nobody-waits'] }), async (minimal) => {
      expect(await callInTheLastMinute(minimal)).toEqual([200]);
      await until('the renewal is under way', () => held(minimal) === 1);
    }));
});

describe('the diffs', () => {
  it('each name the file of src/core that does it fully', () => {
    for (const diff of ['two-processes', 'lost-writes', 'nobody-waits']) {
      const [file = ''] =
        /src\/core\/tokens\/[\w-]+\.ts/.exec(
          readFileSync(`examples/minimal/${diff}.diff`, 'utf8'),
        ) ?? [];
      expect([diff, existsSync(file)]).toEqual([diff, true]);
    }
  });
});

import { StorageError } from '../../src/errors.js';
import { until } from '../support/until.js';
import type { Browser } from '../support/browser.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

let app: TestApp;
let browser: Browser;
/** What the storage does not give. */
let failing: RegExp | undefined;
beforeAll(async () => {
  app = await startTestApp({
    wrap: (services) => {
      const { keyValue } = services;
      for (const name of ['get', 'getWithTtl'] as const) {
        const read = keyValue[name].bind(keyValue) as (key: string) => Promise<unknown>;
        const guarded = (key: string): Promise<unknown> =>
          failing?.test(key) ? Promise.reject(new StorageError('away')) : read(key);
        Object.assign(keyValue, { [name]: guarded });
      }
      return services;
    },
  });
});
afterAll(() => app.close());
beforeEach(async () => {
  failing = undefined;
  app.sandbox.control.reset();
  app.sandbox.control.set({ accessTokenLifetimeS: 600 });
  app.clock.skipMs(700_000); // no pause is left
  browser = app.browser();
  await browser.signIn();
});

const untilMarginOfToken = (): void => app.clock.skipMs(570_000);

describe('while GetBill does not renew the access token', () => {
  it.each([
    ['cannot be reached', { mode: 'drop' }, 'GetBill cannot be reached right now'],
    ['has a problem', { mode: 'status', status: 500 }, 'GetBill'],
    ['asks to wait', { mode: 'status', status: 429 }, 'GetBill'],
  ] as const)(
    'because it %s, connection and dashboard say why and until when, and then that it goes on',
    async (_name, fault, why) => {
      untilMarginOfToken();
      app.sandbox.control.set({ token: [{ ...fault, times: 0 }] });
      // The renewal runs behind the page that causes it.
      await until('it has failed', async () =>
        (await browser.get('/connection')).text.includes('paused until'),
      );
      const { status, text } = await browser.get('/connection');
      expect(status).toBe(200);
      expect(text).toContain('Renewal paused until');
      expect(text).toMatch(new RegExp(`The last renewal failed\\. ${why}[^<]*\\.</span>`));
      expect(text).toContain('if it is not renewed before');
      const dashboard = (await browser.get('/dashboard')).text;
      expect(dashboard).toMatch(
        new RegExp(
          `Connected · 3 permissions · renewal paused until <time [^>]*data-local="seconds"[^>]*>[\\d:]+ UTC</time>: ${why}`,
        ),
      );
      app.sandbox.control.set({ token: [] });
      app.clock.skipMs(20_000);
      await until('it is renewed', async () =>
        (await browser.get('/connection')).text.includes('Renewed'),
      );
      expect((await browser.get('/connection')).text).not.toContain('paused until');
      expect((await browser.get('/dashboard')).text).toMatch(/permissions · Renewed/);
    },
  );
});

it('a token that GetBill rejects before its time and does not renew is no connection that renews itself', async () => {
  app.sandbox.control.set({ token: [{ mode: 'drop', times: 0 }] });
  app.sandbox.control.expireAccessTokens();
  expect((await browser.get('/debts')).status).toBe(503);
  expect((await browser.get('/connection')).text).toContain('Renewal paused until');
  expect((await browser.get('/dashboard')).text).toContain('renewal paused until');
});

it('the share of the company stands beside what is left of GetBill’s limit', async () => {
  await browser.get('/debts');
  const { text } = await browser.get('/connection');
  expect(text).toMatch(/of 1,000 calls left/);
  expect(text).toContain('Your company’s share: 250');
});

describe('a part of the connection that cannot be read', () => {
  it.each([
    ['the pause of renewals', /^backoff:/],
    ['GetBill’s limit', /^quota:/],
    ['what turned out not to be granted', /^facts:/],
  ])('costs itself alone: %s', async (_name, keys) => {
    await browser.get('/dashboard');
    untilMarginOfToken();
    failing = keys;
    const { status, text } = await browser.get('/connection');
    expect(status).toBe(200);
    for (const part of ['access', 'may', 'quota', 'end'])
      expect(text).toContain(`<h2 id="${part}"`);
    expect(text).toContain('See your debts');
    expect(text).toContain('Next renewal');
  });
});

describe('a grant that was ended at GetBill', () => {
  const NOTICE = /GetBill ended the connection at <time[^>]*>\d\d:\d\d UTC<\/time>\. You are connected again\./; // prettier-ignore

  it.each([
    ['a page', (who: Browser) => who.get('/debts')],
    ['the API', (who: Browser) => who.get('/api/debts')],
    ['the link to sign in', (who: Browser) => who.get('/login')],
    ['a renewal behind a page', async (who: Browser) => {
      untilMarginOfToken();
      await who.get('/connection');
      await app.services.tokens.idle();
      await who.get('/debts');
    }], // prettier-ignore
  ])('is explained after the new sign-in, once, when it was met by %s', async (_name, meet) => {
    app.sandbox.control.revokeGrants();
    if (_name === 'the link to sign in') app.clock.skipMs(601_000); // /login calls no API
    await meet(browser);
    await browser.signIn({ returnTo: '/debts' });
    expect((await browser.get('/debts')).text).toMatch(NOTICE);
    expect((await browser.get('/debts')).text).not.toMatch(NOTICE);
  });

  it('is not claimed after a sign-out, or for somebody who is not signed in', async () => {
    await browser.signOut();
    await browser.signIn();
    expect((await browser.get('/dashboard')).text).not.toMatch(NOTICE);
    app.sandbox.control.revokeGrants();
    await browser.get('/debts');
    expect((await browser.get('/')).text).not.toMatch(NOTICE);
  });

  it('and a cookie that somebody has changed says nothing', async () => {
    for (const [name] of browser.cookies) expect(name).not.toContain('ended');
    app.sandbox.control.revokeGrants();
    await browser.get('/debts');
    const name = [...browser.cookies.keys()].find((each) => each.includes('ended')) ?? '';
    expect(name).not.toBe('');
    browser.cookies.set(name, '<b>CANARY</b>');
    await browser.signIn();
    const { text } = await browser.get('/dashboard');
    expect(text).not.toMatch(/CANARY|ended the connection/);
  });
});

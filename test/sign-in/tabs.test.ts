/// <reference types="jest" />
import {
  anyCode,
  callbackFor,
  challengeOf,
  isSignedIn,
  paramOf,
  sessionIdOf,
  tokenRequests,
  cookieNames,
} from '../support/sign-in.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

jest.setTimeout(60_000);

const PAGES = ['/dashboard', '/debts', '/connection', '/debts/d1', '/debts?page=2'];

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  );
}

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ faults: { token: [anyCode] } });
});
afterAll(() => app.close());
beforeEach(() => app.sandbox.control.clearRequests());

describe('five tabs of one browser', () => {
  // All 120 take ten seconds; each run takes its own 20 of them. TABS_SEED=<seed> repeats a run, TABS_ORDERS=120 takes all.
  const seed = Number(process.env['TABS_SEED'] ?? Date.now() % 120);
  const count = Number(process.env['TABS_ORDERS'] ?? 20);

  it(`[A05] land on their own pages in whatever order they finish, and the last one stays signed in (TABS_SEED=${seed})`, async () => {
    const all = permutations([0, 1, 2, 3, 4]);
    const orders = Array.from(
      { length: count },
      (_, index) => all[(seed + index * 7) % all.length] ?? [],
    ); // 7 and 120 share no factor
    expect(new Set(orders).size).toBe(count);
    for (const order of orders) {
      const browser = app.browser();
      const callbacks: string[] = [];
      for (const page of PAGES) callbacks.push(callbackFor(await browser.startLogin(page)));
      const sessions = new Set<string>();
      const ends: unknown[] = [];
      for (const tab of order) {
        ends.push((await browser.get(callbacks[tab] ?? '')).location);
        sessions.add(sessionIdOf(browser));
      }
      expect([order, ends]).toEqual([order, order.map((tab) => PAGES[tab])]);
      expect(sessions.size).toBe(5); // each replaces the one before it
      expect(await isSignedIn(browser)).toBe(true);
    }
  });

  it('[A05] each send the verifier that belongs to their own challenge', async () => {
    const browser = app.browser();
    const challenges = new Map<string, string>();
    const callbacks: string[] = [];
    for (const page of PAGES) {
      const url = await browser.startLogin(page);
      challenges.set(`code-for-${page}`, paramOf(url, 'code_challenge'));
      callbacks.push(callbackFor(url, `code-for-${page}`));
    }
    for (const callback of callbacks.reverse()) await browser.get(callback);
    const sent = tokenRequests(app.sandbox).map(({ form }) => [form.get('code'), challengeOf(form.get('code_verifier') ?? '')] as const); // prettier-ignore
    expect(new Map(sent)).toEqual(new Map([...challenges].reverse()));
  });

  it('[A05] all at once each land on their own pages', async () => {
    const browser = app.browser();
    const callbacks: string[] = [];
    for (const page of PAGES) callbacks.push(callbackFor(await browser.startLogin(page)));
    const answers = await Promise.all(callbacks.map((callback) => browser.get(callback)));
    expect(answers.map(({ location }) => location)).toEqual(PAGES);
    expect(await isSignedIn(browser)).toBe(true);
  });
});

describe('two tabs that a browser restores at once, a day later', () => {
  it.each([
    ['first', 0, 1],
    ['second', 1, 0],
  ])('both land on their own pages, the %s one first', async (_which, one, other) => {
    const browser = app.browser();
    await browser.get(callbackFor(await browser.startLogin()));
    app.clock.skipMs(86_400_000);
    browser.cookies.delete(cookieNames(app).login); // its hour is over, the session cookie is restored
    const urls = await Promise.all(
      ['/debts', '/connection'].map((page) => browser.startLogin(page)),
    );
    const callbacks = urls.map((url) => callbackFor(url));
    expect(
      [
        (await browser.get(callbacks[one] ?? '')).location,
        (await browser.get(callbacks[other] ?? '')).location,
      ].sort(),
    ).toEqual(['/connection', '/debts']);
    expect(await isSignedIn(browser)).toBe(true);
  });
});

describe('one browser that starts many logins', () => {
  it('[A05] keeps one small cookie and any of them can be finished', async () => {
    const browser = app.browser();
    const callbacks: string[] = [];
    for (let times = 0; times < 50; times += 1)
      callbacks.push(callbackFor(await browser.startLogin('/debts')));
    const cookieHeader = Array.from(browser.cookies, ([name, value]) => `${name}=${value}`).join(
      '; ',
    );
    expect([...browser.cookies.keys()]).toEqual([cookieNames(app).login]);
    expect(cookieHeader.length).toBeLessThan(100);
    expect((await browser.get(callbacks[0] ?? '')).location).toBe('/debts');
    expect((await browser.get(callbacks[49] ?? '')).location).toBe('/debts');
  });
});

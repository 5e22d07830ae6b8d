/// <reference types="jest" />
import { errorText } from '../../src/web/pages/error-texts.js';
import { grantIdOf } from '../../src/web/session/session.js';
import type { Answer, Browser } from '../support/browser.js';
import { cookieNames, isSignedIn, sessionIdOf, signed, walk } from '../support/sign-in.js';
import { SESSION_SECRET, startTestApp, type TestApp } from '../support/test-app.js';

jest.setTimeout(30_000);

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());
beforeEach(() => {
  app.sandbox.control.reset();
  app.events.length = 0;
});

const timesAtGetBill = (): number => app.sandbox.control.state().counters.authorize;
const cookieHeader = (browser: Browser): string =>
  Array.from(browser.cookies, ([name, value]) => `${name}=${value}`).join('; ');

function expectPage(answer: Answer, code: string, status = 400): void {
  const text = errorText(code, status);
  expect(answer.status).toBe(status);
  for (const words of [text.title, text.advice]) expect(answer.text).toContain(words);
}

describe('a browser', () => {
  it('that drops every cookie goes to GetBill once and then sees a page that says so', async () => {
    const browser = app.browser();
    const { hops, answer } = await walk(app, '/dashboard', (path) => {
      browser.cookies.clear();
      return browser.get(path);
    });
    expect(hops).toEqual(['/dashboard', '/login', 'GetBill', '/oauth/callback']);
    expectPage(answer, 'login_cookie_missing');
    expect(timesAtGetBill()).toBe(1);
  });

  it('that loses the session cookie alone goes to GetBill once and then sees a page that says so', async () => {
    const browser = app.browser();
    const forgetful = (path: string): Promise<Answer> => {
      browser.cookies.delete(cookieNames(app).session);
      return browser.get(path);
    };
    const { hops, answer } = await walk(app, '/dashboard', forgetful);
    expect(hops).toEqual([
      '/dashboard',
      '/login',
      'GetBill',
      '/oauth/callback',
      '/dashboard',
      '/login',
    ]);
    expectPage(answer, 'session_cookie_lost');
    expect(timesAtGetBill()).toBe(1);

    app.clock.skipMs(11_000); // told to wait ten seconds, it may try once more, and ends on the same page
    expectPage((await walk(app, '/login', forgetful)).answer, 'session_cookie_lost');
    expect(timesAtGetBill()).toBe(2);
  });

  it('with a second session cookie in front of ours, signed by us, is not sent round and round', async () => {
    const browser = app.browser();
    const get = (path: string) =>
      browser.get(path, {
        cookie: `${cookieNames(app).session}=${signed('evil', SESSION_SECRET)}; ${cookieHeader(browser)}`,
      });
    const { answer } = await walk(app, '/dashboard', get);
    expectPage(answer, 'session_cookie_lost');
    expect(timesAtGetBill()).toBe(1);
  });

  it.each<[string, (own: string) => string]>([
    ['with a second session cookie behind ours', (own) => `${own}; SESSION=evil`],
    ['with a second session cookie in front of ours', (own) => `SESSION=evil; ${own}`],
    [
      'with one of a wrong signature in front of ours',
      (own) => `SESSION=s%3Aevil.c2lnbmF0dXJl; ${own}`,
    ],
    ['with a malformed cookie of the sign-in in front of ours', (own) => `LOGIN=evil; ${own}`],
    ['whose cookies come in quotes', (own) => own.replaceAll(/=([^;]+)/g, '="$1"')],
  ])('%s notices nothing', async (_what, change) => {
    const browser = app.browser();
    const { session, login } = cookieNames(app);
    const get = (path: string) => {
      const cookie = change(cookieHeader(browser));
      return browser.get(path, {
        cookie: cookie.replace('SESSION', session).replace('LOGIN', login),
      });
    };
    const { hops, answer } = await walk(app, '/dashboard', get);
    expect([hops.at(-1), answer.status]).toEqual(['/dashboard', 200]);
  });

  it('that deletes its cookies and comes back is simply asked to sign in', async () => {
    const browser = app.browser();
    await browser.signIn();
    browser.cookies.clear();
    const { hops, answer } = await walk(app, '/dashboard', (path) => browser.get(path));
    expect(hops).toEqual(['/dashboard', '/login', 'GetBill', '/oauth/callback', '/dashboard']);
    expect(answer.status).toBe(200);
  });

  it('that signs out and in again at once is not held back', async () => {
    const browser = app.browser();
    await browser.signIn();
    expect((await browser.signOut()).location).toBe('/');
    expect((await walk(app, '/dashboard', (path) => browser.get(path))).answer.status).toBe(200);
  });

  it('is told on the landing page, once, that signing out here is not signing out at GetBill', async () => {
    const browser = app.browser();
    await browser.signIn();
    await browser.signOut();
    expect((await browser.get('/')).text).toContain('You are signed out here');
    expect((await browser.get('/')).text).not.toContain('You are signed out here');
  });
});

describe('a sign-in whose tokens GetBill rejects at once', () => {
  const refused = { mode: 'status', status: 400, body: { error: 'invalid_grant' }, times: 0, grantType: 'refresh_token' } as const; // prettier-ignore
  const code = { times: 0, grantType: 'authorization_code' } as const;
  const rejected = [{ mode: 'unauthorized', times: 0 }] as const;

  it.each<[string, Parameters<TestApp['sandbox']['control']['set']>[0]]>([
    ['and does not renew', { token: [refused], api: [...rejected] }],
    ['where none came to renew them with', { token: [{ mode: 'body', remove: ['refresh_token'], ...code }], api: [...rejected] }], // prettier-ignore
    ['because they expire', { token: [refused, { mode: 'body', override: { expires_in: 0.001 }, ...code }] }], // prettier-ignore
  ])('(%s) is followed by one more, and then by a page that says so', async (_what, faults) => {
    const browser = app.browser();
    const get = (path: string) => browser.get(path);
    app.sandbox.control.set(faults);
    for (const path of ['/dashboard', '/login?again=1&returnTo=/debts']) {
      const { hops, answer } = await walk(app, path, get);
      expect(hops.filter((hop) => hop === 'GetBill')).toHaveLength(path === '/dashboard' ? 2 : 1);
      expectPage(answer, 'grant_ended_at_once', 502);
      expect(answer.text).not.toMatch(/connected again|Sign out/);
    }

    app.sandbox.control.reset();
    const { answer } = await walk(app, '/login?again=1&returnTo=/dashboard', get);
    expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('connected again')]);
  });
});

describe('a session whose token record has gone', () => {
  async function signedInWithoutRecord(): Promise<{ browser: Browser; id: string }> {
    const browser = app.browser();
    await browser.signIn();
    const id = sessionIdOf(browser);
    await app.services.tokens.forget(grantIdOf(id), 'record_gone');
    return { browser, id };
  }

  it('is ended before the answer, and the way back leads through one sign-in', async () => {
    const { browser, id } = await signedInWithoutRecord();
    const answer = await browser.get('/dashboard?tab=2');
    expect([answer.status, answer.location]).toEqual([
      302,
      '/login?returnTo=%2Fdashboard%3Ftab%3D2',
    ]);
    expect(browser.cookies.has(cookieNames(app).session)).toBe(false);
    expect(await app.services.keyValue.get(`sess:${id}`)).toBeUndefined();

    const { hops, answer: page } = await walk(app, answer.location ?? '', (path) =>
      browser.get(path),
    );
    expect(hops).toEqual(['/login', 'GetBill', '/oauth/callback', '/dashboard']);
    expect(page.status).toBe(200);
    expect(sessionIdOf(browser)).not.toBe(id);
  });

  it('is 401 with the way to sign in for a script, and ended', async () => {
    const { browser, id } = await signedInWithoutRecord();
    const answer = await browser.get('/api/debts', { accept: 'application/json' });
    expect([answer.status, answer.json]).toMatchObject([
      401,
      { error: 'grant_ended', login_url: '/login' },
    ]);
    expect(browser.cookies.has(cookieNames(app).session)).toBe(false);
    expect(await app.services.keyValue.get(`sess:${id}`)).toBeUndefined();
  });

  it('does not count as signed in at /login', async () => {
    const { browser, id } = await signedInWithoutRecord();
    const { hops, answer } = await walk(app, '/login?returnTo=%2Fdashboard', (path) =>
      browser.get(path),
    );
    expect(hops).toEqual(['/login', 'GetBill', '/oauth/callback', '/dashboard']);
    expect(answer.status).toBe(200);
    expect(await app.services.keyValue.get(`sess:${id}`)).toBeUndefined();
  });

  it('can still sign out', async () => {
    const { browser } = await signedInWithoutRecord();
    const answer = await browser.signOut();
    expect([answer.status, answer.location]).toEqual([303, '/']);
    expect(await isSignedIn(browser)).toBe(false);
  });
});

describe('a sign-in whose session was idle for too long', () => {
  it('is followed by another one that comes back to the same page', async () => {
    const browser = app.browser();
    await browser.signIn();
    app.clock.skipMs(1_801_000);
    const { hops, answer } = await walk(app, '/dashboard', (path) => browser.get(path));
    expect(hops).toEqual(['/dashboard', '/login', 'GetBill', '/oauth/callback', '/dashboard']);
    expect(answer.status).toBe(200);
  });
});

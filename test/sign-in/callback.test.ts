/// <reference types="jest" />
import type { Services } from '../../src/services.js';
import type { Answer, Browser } from '../support/browser.js';
import { codeCalls, cookieNames, isSignedIn, paramOf, sessionIdOf } from '../support/sign-in.js';
import { until } from '../support/until.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

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

const asJson = { accept: 'application/json' };
const callback = (browser: Browser, query: string): Promise<Answer> =>
  browser.get(`/oauth/callback?${query}`, asJson);

/** A browser on its way: the callback that would sign it in. */
async function onItsWay(
  browser = app.browser(),
  returnTo?: string,
): Promise<{ browser: Browser; path: string; state: string }> {
  const path = await browser.approve(await browser.startLogin(returnTo));
  return { browser, path, state: paramOf(path, 'state') };
}

async function expectRefused(
  answer: Answer,
  { browser, code }: { browser: Browser; code: string },
): Promise<void> {
  expect([answer.status, answer.json['error']]).toEqual([400, code]);
  expect(answer.setCookies).toEqual([]);
  expect(answer.location).toBeUndefined();
  expect(codeCalls(app.sandbox)).toBe(0);
  expect((await browser.get('/dashboard')).location).toMatch(/^\/login/);
}

describe('a callback nobody in this browser began', () => {
  const queries = ['code=X', 'code=X&state=', 'code=X&state[]=a', 'code=X&state=undefined', 'code=X&state=a', 'error=access_denied&state=a', '']; // prettier-ignore

  it.each(queries)('[A01] is refused in a fresh browser (%s)', async (query) => {
    const browser = app.browser();
    await expectRefused(await callback(browser, query), { browser, code: 'login_cookie_missing' });
  });

  it.each(queries)(
    '[A01] is refused in a browser that has begun another one (%s)',
    async (query) => {
      const browser = app.browser();
      await browser.startLogin();
      const wellFormed = /[&?]state=[^&]/.test(query);
      await expectRefused(await callback(browser, query), {
        browser,
        code: wellFormed ? 'login_unknown' : 'callback_malformed',
      });
    },
  );

  it('[A01] is refused with a binding cookie that somebody made up', async () => {
    for (const value of ['', 'undefined', 'a'.repeat(43), 'a'.repeat(4000)]) {
      const { state } = await onItsWay();
      const browser = app.browser();
      browser.cookies.set(cookieNames(app).login, value);
      await expectRefused(await callback(browser, `code=X&state=${state}`), {
        browser,
        code: value.length === 43 ? 'login_unknown' : 'login_cookie_missing',
      });
    }
  });

  it('[A02] is refused in another browser, and takes nothing from the one that began it', async () => {
    const { browser, path } = await onItsWay();
    const other = app.browser();
    await other.startLogin();
    await expectRefused(await other.get(path, asJson), { browser: other, code: 'login_unknown' });
    expect((await browser.get(path)).location).toBe('/dashboard');
    expect((await browser.get('/dashboard')).status).toBe(200);
  });
});

describe('a callback that is not well-formed', () => {
  const long = 'x'.repeat(9000);
  const queries: [string, (state: string) => string][] = [
    ['no code', (state) => `state=${state}`],
    ['an empty code', (state) => `code=&state=${state}`],
    ['two codes', (state) => `code=a&code=b&state=${state}`],
    ['the same code twice', (state) => `code=a&code=a&state=${state}`],
    ['a code as an array', (state) => `code[]=a&state=${state}`],
    ['a code of 9 KB', (state) => `code=${long}&state=${state}`],
    ['a code and an error', (state) => `code=a&error=b&state=${state}`],
    ['two errors', (state) => `error=a&error=b&state=${state}`],
    ['two states', (state) => `code=a&state=${state}&state=${state}`],
    ['two states, the other first', (state) => `code=a&state=x&state=${state}`],
    ['two issuers', (state) => `code=a&state=${state}&iss=a&iss=b`],
    ['tokens instead of a code', (state) => `access_token=x&token_type=bearer&state=${state}`],
    ['a null byte', (state) => `code=%00&state=${state}`],
    ['bytes that are no text', (state) => `code=%ff%fe&state=${state}`],
    ['a line break', (state) => `code=a%0d%0aX:y&state=${state}`],
    ['a state of 9 KB', () => `code=a&state=${long}`],
  ];

  it.each(queries)(
    '[A12] because of %s is refused, and the login can still be finished',
    async (_what, query) => {
      const { browser, path, state } = await onItsWay();
      await expectRefused(await callback(browser, query(state)), {
        browser,
        code: 'callback_malformed',
      });
      expect((await browser.get(path)).location).toBe('/dashboard');
      expect(codeCalls(app.sandbox)).toBe(1);
    },
  );

  it('[A12] because it brings an id_token as well is refused without an exchange', async () => {
    const { browser, path } = await onItsWay();
    await expectRefused(await browser.get(`${path}&id_token=x`, asJson), {
      browser,
      code: 'callback_malformed',
    });
  });

  it('[A12] because of empty parameters beside the code is not among them', async () => {
    const { browser, path } = await onItsWay();
    const beside = 'error=&error_description=&id_token=&access_token=&code=&state=&iss=';
    expect((await browser.get(`${path}&${beside}`)).location).toBe('/dashboard');
  });

  it.each(['%', '%zz', '%u0000', '..%2f', "'; DROP TABLE users", '${7*7}'])(
    '[A12] does not fall over a code like %j',
    async (code) => {
      const { browser, state } = await onItsWay();
      const answer = await callback(browser, `code=${code.replaceAll(' ', '%20')}&state=${state}`);
      expect([answer.status, answer.json['error']]).toEqual([400, 'code_refused']);
      expect(await isSignedIn(browser)).toBe(false);
    },
  );

  it.each(['POST', 'PUT', 'DELETE', 'HEAD'])('is 405 by %s, and takes nothing', async (method) => {
    const { browser, path } = await onItsWay();
    const answer = await browser.send(method, path, { headers: asJson });
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'GET']);
    expect(codeCalls(app.sandbox)).toBe(0);
    expect((await browser.get(path)).location).toBe('/dashboard');
  });
});

describe('the callback', () => {
  it('signs in and goes to the page asked for', async () => {
    const browser = app.browser();
    const answer = await browser.signIn({ returnTo: '/debts?page=2' });
    expect([answer.status, answer.location]).toEqual([303, '/debts?page=2']);
    expect(await isSignedIn(browser)).toBe(true);
    const story = app.events
      .map(({ type }) => type)
      .filter((type) => /^(login|token|session)_/.test(type));
    expect(story).toEqual(['login_started', 'token_requested', 'login_completed']);
  });

  it('shows each of two people the company that they chose', async () => {
    app.sandbox.control.set({ consent: 'ask' });
    const [first, second] = [app.browser(), app.browser()];
    await first.signIn({ company: 'Example Collections LLC' });
    await second.signIn({ company: 'Recouvrement Lumière SARL' });
    const [firstPage, secondPage] = [await first.get('/dashboard'), await second.get('/dashboard')];
    expect([firstPage.status, secondPage.status]).toEqual([200, 200]);
    expect(firstPage.text).toContain('Example Collections LLC');
    expect(firstPage.text).not.toContain('Recouvrement');
    expect(secondPage.text).toContain('Recouvrement Lumière SARL');
    expect(secondPage.text).not.toContain('Example Collections');
  });

  it('goes to the dashboard when no page was asked for', async () => {
    expect((await app.browser().signIn()).location).toBe('/dashboard');
  });

  it('[D05] works for a browser that comes from another site', async () => {
    const { browser, path } = await onItsWay();
    const fetchMetadata = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    expect((await browser.get(path, fetchMetadata)).status).toBe(303);
  });

  it.each(['prefetch', 'prefetch;prerender', 'prefetch;anonymous-client-ip'])(
    'answers %s with 204 and takes nothing',
    async (purpose) => {
      const { browser, path } = await onItsWay();
      const answer = await browser.get(path, { 'sec-purpose': purpose });
      expect([answer.status, answer.text, answer.setCookies]).toEqual([204, '', []]);
      expect(codeCalls(app.sandbox)).toBe(0);
      expect((await browser.get(path)).location).toBe('/dashboard');
    },
  );

  it('[A02] used again while signed in goes to the dashboard without another exchange, as the Back button does', async () => {
    const { browser, path } = await onItsWay(app.browser(), '/connection');
    await browser.get(path);
    const id = sessionIdOf(browser);
    for (let times = 0; times < 3; times += 1) {
      const again = await browser.get(path);
      expect([again.status, again.location, again.setCookies]).toEqual([303, '/dashboard', []]);
    }
    expect(sessionIdOf(browser)).toBe(id);
    expect(codeCalls(app.sandbox)).toBe(1);
    expect(await isSignedIn(browser)).toBe(true);
    expect(app.events.filter(({ type }) => type === 'login_repeated')).toHaveLength(3);
  });

  it('[A02] used again without a session is refused without another exchange', async () => {
    const { browser, path } = await onItsWay();
    await browser.get(path);
    browser.cookies.delete(cookieNames(app).session);
    const again = await browser.get(path, asJson);
    expect([again.status, again.json['error']]).toEqual([400, 'login_unknown']);
    expect(codeCalls(app.sandbox)).toBe(1);
  });

  it('[A02] used again after signing out is refused, and nobody is signed in again', async () => {
    const { browser, path } = await onItsWay();
    await browser.get(path);
    await browser.signOut();
    expect((await browser.get(path, asJson)).status).toBe(400);
    expect(codeCalls(app.sandbox)).toBe(1);
    expect(await isSignedIn(browser)).toBe(false);
  });

  it('[A02] ten times at once is exchanged once and makes one session', async () => {
    const { browser, path } = await onItsWay();
    const cookie = Array.from(browser.cookies, ([name, value]) => `${name}=${value}`).join('; ');
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => app.browser().get(path, { ...asJson, cookie })),
    );
    expect(codeCalls(app.sandbox)).toBe(1);
    expect(app.events.filter(({ type }) => type === 'login_completed')).toHaveLength(1);
    const entered = answers.filter(({ status }) => status === 303);
    expect(entered.map(({ setCookies }) => setCookies.length)).toEqual([1]);
    for (const answer of answers.filter((other) => !entered.includes(other))) {
      expect([answer.status, answer.json['error'], answer.setCookies]).toEqual([
        400,
        'login_unknown',
        [],
      ]);
    }
  });

  it('[A02] twice at once while somebody is signed in is exchanged once; the other goes to the dashboard', async () => {
    const browser = app.browser();
    const [first, second] = [await browser.startLogin(), await browser.startLogin()];
    await browser.get(await browser.approve(first));
    const path = await browser.approve(second);
    const answers = await Promise.all([browser.get(path), browser.get(path)]);
    expect(answers.map(({ status, location }) => [status, location])).toEqual([[303, '/dashboard'], [303, '/dashboard']]); // prettier-ignore
    expect(codeCalls(app.sandbox)).toBe(2);
    expect(answers.filter(({ setCookies }) => setCookies.length > 0)).toHaveLength(1);
    expect(await isSignedIn(browser)).toBe(true);
  });

  it('[A02] takes its login before the exchange, also when that fails', async () => {
    const { browser, path } = await onItsWay();
    app.sandbox.control.set({
      token: [{ mode: 'status', status: 400, body: { error: 'invalid_grant' } }],
    });
    const failed = await browser.get(path, asJson);
    expect([failed.status, failed.json['error']]).toEqual([400, 'code_refused']);
    const again = await browser.get(path, asJson);
    expect([again.status, again.json['error']]).toEqual([400, 'login_unknown']);
    expect(codeCalls(app.sandbox)).toBe(1);
  });

  it('replaces a session that is there: the new one lives, the old one is gone', async () => {
    const browser = app.browser();
    const [first, second] = [await browser.startLogin(), await browser.startLogin('/connection')];
    await browser.get(await browser.approve(first));
    const old = app.browser();
    for (const [name, value] of browser.cookies) old.cookies.set(name, value);
    const answer = await browser.get(await browser.approve(second));
    expect(answer.location).toBe('/connection');
    expect(await isSignedIn(browser)).toBe(true);
    expect(await isSignedIn(old)).toBe(false);
    expect(app.events).toContainEqual(
      expect.objectContaining({ type: 'session_ended', reason: 'replaced' }),
    );
    expect(app.events).toContainEqual(
      expect.objectContaining({ type: 'login_completed', replaced: true }),
    );
  });

  it.each([
    ['a script', '/api/company/profile'],
    ['a page', '/debts/d1'],
  ])(
    'keeps its cookie when %s of the old one finds its grant gone after it',
    async (_who, path) => {
      const browser = app.browser();
      await browser.signIn();
      const oldId = sessionIdOf(browser);
      const { control } = app.sandbox;
      control.expireAccessTokens();
      control.set({ token: [{ mode: 'hold' }] });
      const late = browser.get(path);
      await until('its renewal is held', () => control.state().held === 1);
      await browser.get(await browser.approve((await browser.get('/login?again')).location ?? ''));
      const newId = sessionIdOf(browser);
      expect(newId).not.toBe(oldId);
      control.release();
      expect((await late).setCookies).toEqual([]);
      expect(sessionIdOf(browser)).toBe(newId);
      expect(await isSignedIn(browser)).toBe(true);
    },
  );

  it('keeps its cookie when a call of the old one ends just after that grant was forgotten', async () => {
    let whenForgotten: (() => Promise<unknown>) | undefined;
    const wrap = (services: Services): Services => {
      const { tokens } = services;
      const forget: typeof tokens.forget = async (...grant) => {
        const forgotten = await tokens.forget(...grant);
        await whenForgotten?.();
        return forgotten;
      };
      return { ...services, tokens: { ...tokens, forget } };
    };
    const slow = await startTestApp({ wrap });
    try {
      const browser = slow.browser();
      await browser.signIn();
      const { control } = slow.sandbox;
      control.expireAccessTokens();
      control.set({ token: [{ mode: 'hold' }] });
      const late = browser.get('/api/company/profile');
      await until('its renewal is held', () => control.state().held === 1);
      whenForgotten = () => {
        control.release();
        return late;
      };
      await browser.get(await browser.approve((await browser.get('/login?again')).location ?? ''));
      const answer = await late;
      expect([answer.status, answer.setCookies]).toEqual([401, []]);
    } finally {
      await slow.close();
    }
  });
});

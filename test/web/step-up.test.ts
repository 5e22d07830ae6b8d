import type { Browser } from '../support/browser.js';
import { sessionIdOf } from '../support/sign-in.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

let app: TestApp;
let browser: Browser;
const OURS = { 'sec-fetch-site': 'same-origin' };
const ALL = ['company:read', 'debts:read', 'followups:read'];

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());
beforeEach(async () => {
  app.sandbox.control.reset();
  app.sandbox.control.set({ scopeInTokenResponse: 'always', consent: 'ask' });
  browser = app.browser();
  await browser.signIn({ scopes: ['company:read', 'debts:read'] });
});

const scopesOf = async (who = browser): Promise<unknown> =>
  (await who.get('/session')).json['scopes'];

/** Follows the link of the connection page: the authorization request. */
async function askForMore(scope = 'followups:read', headers: Record<string, string> = OURS) {
  const { text } = await browser.get('/connection');
  const query = new URLSearchParams({ again: '1', scope, returnTo: '/connection' }).toString();
  const href = `/login?${query}`;
  expect(text).toContain(`href="${href.replaceAll('&', '&#38;')}"`.replaceAll('&#38;', '&amp;'));
  const { location = '' } = await browser.get(href, headers);
  return new URL(location);
}

it('gives one more permission without signing out, and comes back to the page', async () => {
  const before = sessionIdOf(browser);
  const url = await askForMore();
  expect(url.searchParams.get('scope')).toBe(ALL.join(' '));
  const callback = await browser.approve(url.href, { scopes: ALL });
  expect(sessionIdOf(browser)).toBe(before); // nothing is replaced before it has succeeded
  expect((await browser.get(callback)).location).toBe('/connection');
  expect((await browser.get('/session')).json).toMatchObject({ scopes: ALL, scopesAssumed: false });
  expect(sessionIdOf(browser)).not.toBe(before);
  expect((await browser.get('/connection')).text).not.toContain('granted-no');
});

it('asks for what GETBILL_SCOPES does not name, and reports nothing as widened', async () => {
  const url = await askForMore('reports:read');
  expect(url.searchParams.get('scope')).toBe([...ALL, 'reports:read'].join(' '));
  const widened = (): number => app.events.filter(({ type }) => type === 'scope_widened').length;
  const before = widened();
  await browser.get(await browser.approve(url.href, { scopes: [...ALL, 'reports:read'] }));
  expect(await scopesOf()).toEqual([...ALL, 'reports:read']);
  expect(widened()).toBe(before);
});

describe('the session and its grant stay', () => {
  const isAsBefore = async (): Promise<void> => {
    expect(await scopesOf()).toEqual(['company:read', 'debts:read']);
    expect((await browser.get('/api/debts?limit=1')).status).toBe(200);
  };

  it('when the visit to GetBill is interrupted', async () => {
    await askForMore();
    await isAsBefore();
  });

  it('when it is denied: the page says that nothing has changed, and leads back', async () => {
    const url = await askForMore();
    const { status, text } = await browser.get(
      await browser.approve(url.href, { decision: 'deny' }),
    );
    expect(status).toBe(403);
    expect(text).toMatch(/still signed in[\s\S]*href="\/connection"/);
    await isAsBefore();
  });

  it('when GetBill refuses the code', async () => {
    const callback = await browser.approve((await askForMore()).href, { scopes: ALL });
    app.sandbox.control.set({
      token: [
        {
          mode: 'status',
          status: 400,
          body: { error: 'invalid_grant' },
          grantType: 'authorization_code',
        },
      ],
    });
    expect((await browser.get(callback)).status).toBe(400);
    await isAsBefore();
  });

  it('when the old token is renewed meanwhile, before and after the success', async () => {
    const url = await askForMore();
    app.sandbox.control.expireAccessTokens();
    await isAsBefore();
    await browser.get(await browser.approve(url.href, { scopes: ALL }));
    app.sandbox.control.expireAccessTokens();
    expect((await browser.get('/api/debts?limit=1')).status).toBe(200);
    expect(await scopesOf()).toEqual(ALL);
  });
});

it('a callback that is replayed changes nothing', async () => {
  const callback = await browser.approve((await askForMore()).href, { scopes: ALL });
  await browser.get(callback);
  const after = sessionIdOf(browser);
  expect((await browser.get(callback)).location).toBe('/dashboard');
  expect(sessionIdOf(browser)).toBe(after);
  expect(await scopesOf()).toEqual(ALL);
});

it('two tabs that ask at once both come back, and the last one holds', async () => {
  const [first, second] = [await askForMore(), await askForMore('reports:read')];
  const callbacks = [
    await browser.approve(first.href, { scopes: ALL }),
    await browser.approve(second.href, { scopes: [...ALL, 'reports:read'] }),
  ];
  for (const callback of callbacks)
    expect((await browser.get(callback)).location).toBe('/connection');
  expect(await scopesOf()).toEqual([...ALL, 'reports:read']);
  expect((await browser.get('/api/followups')).status).toBe(200);
});

it.each([
  ['a link on another site', 'reports:read', { 'sec-fetch-site': 'cross-site' }],
  ['a permission that no endpoint needs', 'admin:everything', OURS],
])('%s decides nothing', async (_name, scope, headers) => {
  const query = new URLSearchParams({ again: '1', scope }).toString();
  const { location = '' } = await browser.get(`/login?${query}`, headers);
  expect(new URL(location).searchParams.get('scope')).toBe(ALL.join(' '));
});

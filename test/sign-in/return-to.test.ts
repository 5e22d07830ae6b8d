/// <reference types="jest" />
import { errorText } from '../../src/web/pages/error-texts.js';
import { anyCode, callbackFor } from '../support/sign-in.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

jest.setTimeout(30_000);

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ faults: { token: [anyCode] } });
});
afterAll(() => app.close());

/** Where a sign-in ends that began at `/login?<query>`. */
async function endOf(query: string): Promise<string | undefined> {
  const browser = app.browser();
  const { location = '' } = await browser.get(`/login?${query}`);
  expect(location).not.toContain('evil');
  return (await browser.get(callbackFor(location))).location;
}

describe('where a sign-in ends', () => {
  it.each([
    'https%3A%2F%2Fevil.example',
    '%2F%2Fevil.example',
    '//evil.example',
    '/\\evil.example',
    '%2F%5Cevil.example',
    '%5C%5Cevil.example',
    '%09//evil.example',
    '/%09/evil.example',
    '/%0A/evil.example',
    '/%0D%0ASet-Cookie:%20evil=1',
    '/dashboard%0D%0ASet-Cookie:%20evil=1',
    '/.//evil.example',
    '/%2e%2e//evil.example',
    '/%252e%252e//evil.example',
    '/%252f%252fevil.example',
    '/dashboard/..//evil.example',
    '/api/debts',
    '/login',
    '/logout',
    '/oauth/callback?code=x',
    'javascript:alert(1)',
    '',
    '%00',
    '%ff',
  ])('[A16] is the dashboard when returnTo is %j', async (value) => {
    expect(await endOf(`returnTo=${value}`)).toBe('/dashboard');
  });

  it.each([
    'returnTo=/debts&returnTo=//evil.example',
    'returnTo[]=/debts',
    'returnTo[x]=/debts',
    'returnTo',
    'returnto=/debts',
  ])('[A16] is the dashboard for %s', async (query) => {
    expect(await endOf(query)).toBe('/dashboard');
  });

  it.each(['/', '/debts', '/debts/d_1?tab=2', '/connection', '/dashboard?q=a%20b&r=%2F%2Fevil'])(
    '[A16] is %s, unchanged, as it is a page of ours',
    async (page) => {
      const browser = app.browser();
      const { location = '' } = await browser.get(`/login?returnTo=${encodeURIComponent(page)}`);
      expect((await browser.get(callbackFor(location))).location).toBe(page);
    },
  );

  it('[A16] is the dashboard when returnTo is longer than 1 KB', async () => {
    expect(await endOf(`returnTo=/debts?${'q'.repeat(1010)}`)).toMatch(/^\/debts\?q+$/);
    expect(await endOf(`returnTo=/debts?${'q'.repeat(1100)}`)).toBe('/dashboard');
  });

  it('[A16] is what this server kept, whatever the callback says', async () => {
    const browser = app.browser();
    const callback = callbackFor(await browser.startLogin('/debts'));
    expect((await browser.get(`${callback}&returnTo=//evil.example`)).location).toBe('/debts');
  });
});

describe('the answer of the callback', () => {
  it('[A15] is a redirect to a clean address, and leaves no trace of it', async () => {
    const browser = app.browser();
    const before = app.logged().length;
    const answer = await browser.get(
      callbackFor(await browser.startLogin('/debts'), 'CANARY-code'),
    );
    expect(answer.status).toBe(303);
    expect(answer.location).toBe('/debts');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['referrer-policy']).toBe('no-referrer');
    const logged = app.logged().slice(before);
    expect(JSON.stringify(answer.headers) + answer.text + logged).not.toContain('CANARY');
  });

  it.each([
    '?code=CANARY-code&state=CANARY-state',
    '?error=CANARY-error&state=CANARY-state',
    '?code=CANARY-code',
  ])(
    '[A15] to %s is a page without scripts, without anything of others and without what it was sent',
    async (query) => {
      const browser = app.browser();
      await browser.startLogin();
      const answer = await browser.get(`/oauth/callback${query}`);
      expect(answer.status).toBe(400);
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.headers['referrer-policy']).toBe('no-referrer');
      expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
      expect(answer.text).not.toMatch(/<script|CANARY/i);
      expect(answer.text).not.toMatch(/(?:src|href|action)="(?!\/(?!\/)|#)/);
      expect(answer.text).toMatch(/<h1>/);
    },
  );

  it('says what happened, why and what to do, with one button', async () => {
    const answer = await app.browser().get('/oauth/callback?code=x&state=y');
    const text = errorText('login_cookie_missing', 400);
    for (const words of [text.title, text.advice]) expect(answer.text).toContain(words);
    expect(answer.text.match(/class="button primary"/g)).toHaveLength(1);
  });
});

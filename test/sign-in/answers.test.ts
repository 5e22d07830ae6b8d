/// <reference types="jest" />
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TokenFault } from '../../sandbox/faults.js';
import { defaultClientSecret } from '../../sandbox/sandbox.js';
import { errorText } from '../../src/web/pages/error-texts.js';
import type { Answer, Browser } from '../support/browser.js';
import { codeCalls, isSignedIn, paramOf, sessionIdOf, tokenRequests } from '../support/sign-in.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

jest.setTimeout(30_000);

let app: TestApp;
let hasty: TestApp;
beforeAll(async () => {
  app = await startTestApp();
  hasty = await startTestApp({ env: { GETBILL_TIMEOUT_MS: '250' }, sandbox: app.sandbox });
});
afterAll(async () => {
  await hasty.close();
  await app.close();
});
beforeEach(() => {
  app.sandbox.control.reset();
  app.sandbox.control.clearRequests();
  app.events.length = 0;
});
afterEach(() => {
  // [A19] whatever goes wrong with a person's sign-in, the app never takes its own power instead
  expect(app.sandbox.control.state().counters.tokenByGrant.client_credentials).toBe(0);
});

const asJson = { accept: 'application/json' };
const good = {
  access_token: 'CANARY-access',
  refresh_token: 'CANARY-refresh',
  token_type: 'Bearer',
  expires_in: 3600,
};

/** A browser on its way, and the parameters of its callback. */
async function onItsWay({ through = app } = {}): Promise<{
  browser: Browser;
  path: string;
  state: string;
}> {
  const browser = through.browser();
  const path = await browser.approve(await browser.startLogin());
  return { browser, path, state: paramOf(path, 'state') };
}

/** The callback's answer to a token endpoint that says `body`. */
async function signInWith(body: unknown, { status = 200, contentType = 'application/json' } = {}) {
  const { browser, path } = await onItsWay();
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  app.sandbox.control.set({
    token: [{ mode: 'rawBody', status, contentType, body: text, times: 0 }],
  });
  return { browser, answer: await browser.get(path, asJson) };
}

describe('an answer of GetBill that says no', () => {
  const denied = errorText('authorization_access_denied', 403);
  beforeEach(() => {
    app.sandbox.control.set({ consent: 'ask' });
  });

  it('[A10] is a page that explains it, without an exchange and without another sign-in', async () => {
    const browser = app.browser();
    const path = await browser.approve(await browser.startLogin(), { decision: 'deny' });
    const answer = await browser.get(path);
    expect([answer.status, answer.location]).toEqual([403, undefined]);
    for (const words of [denied.title, denied.action?.label]) expect(answer.text).toContain(words);
    expect(codeCalls(app.sandbox)).toBe(0);
    expect(sessionIdOf(browser)).toBe('');
    expect(app.events).toContainEqual({
      type: 'login_failed',
      reason: 'authorization_access_denied',
    });

    const again = await browser.get(path, asJson);
    expect([again.status, again.json['error']]).toEqual([400, 'login_unknown']);
    expect((await browser.signIn()).status).toBe(303); // the button works
  });

  it('[A10] is believed only with a state of this browser', async () => {
    const { browser, path } = await onItsWay();
    const foreign = await browser.get('/oauth/callback?error=access_denied&state=other', asJson);
    expect([foreign.status, foreign.json['error']]).toEqual([400, 'login_unknown']);
    expect((await browser.get(path)).status).toBe(303); // and took nothing
  });

  it('[A10] leaves the one who is signed in signed in', async () => {
    const browser = app.browser();
    const [first, second] = [await browser.startLogin(), await browser.startLogin()];
    await browser.get(await browser.approve(first));
    const answer = await browser.get(await browser.approve(second, { decision: 'deny' }));
    expect(answer.status).toBe(403);
    expect(await isSignedIn(browser)).toBe(true);
  });

  it.each([
    ['invalid_scope', 400],
    ['server_error', 400],
    ['temporarily_unavailable', 400],
    ['constructor', 400],
    ['__proto__', 400],
  ])('[A10] with %s is a page of its own', async (error, status) => {
    const { browser, state } = await onItsWay();
    const answer = await browser.get(
      `/oauth/callback?${new URLSearchParams({ error, state }).toString()}`,
    );
    expect(answer.status).toBe(status);
    expect(/<h1>(.*?)<\/h1>/.exec(answer.text)?.[1]).toBe(errorText(`authorization_${error.replace(/^_+|constructor/, 'x')}`, status).title); // prettier-ignore
    expect(codeCalls(app.sandbox)).toBe(0);
  });

  it('[A11] shows none of its own words, and leaves one short line of them in the log', async () => {
    const { browser, state } = await onItsWay();
    const hostile = {
      error: `"><script>CANARY1</script>${'e'.repeat(1900)}`,
      error_description: `<img src=x onerror=CANARY2>\r\n{"level":60,"msg":"forged"}${'d'.repeat(4000)}`,
      error_uri: `javascript:CANARY3//${'u'.repeat(2000)}`,
    };
    const logged = app.logged().length;
    const answer = await browser.get(
      `/oauth/callback?${new URLSearchParams({ ...hostile, state }).toString()}`,
    );
    expect(answer.status).toBe(400);
    expect(answer.text).not.toMatch(/CANARY|onerror|javascript:|<script/i);
    expect(answer.text).toContain(errorText('authorization_failed', 400).title);
    expect(codeCalls(app.sandbox)).toBe(0);

    const lines = app.logged().slice(logged).split('\n').filter((line) => line.includes('CANARY')); // prettier-ignore
    expect(lines).toHaveLength(1);
    const { hint = '' } = JSON.parse(lines[0] ?? '{}') as { hint?: string };
    expect(hint.replace('GetBill said: ', '').length).toBeLessThanOrEqual(256);
    expect(app.logged().slice(logged)).not.toMatch(/CANARY3|"msg":"forged"/);
  });

  it('[A11] is refused when a part of it is larger than any real one', async () => {
    const { browser, path, state } = await onItsWay();
    const answer = await browser.get(
      `/oauth/callback?error=${'e'.repeat(8000)}&state=${state}`,
      asJson,
    );
    expect([answer.status, answer.json['error']]).toEqual([400, 'callback_malformed']);
    expect((await browser.get(path)).status).toBe(303);
  });
});

describe('the scopes that were granted', () => {
  beforeEach(() => {
    app.sandbox.control.set({ consent: 'ask' });
  });

  it('[A09] without company:read the dashboard says what is missing and the API is not asked', async () => {
    app.sandbox.control.set({ scopeInTokenResponse: 'always' });
    const browser = app.browser();
    await browser.signIn({ scopes: ['debts:read'] });
    const dashboard = await browser.get('/dashboard');
    expect(dashboard.status).toBe(200);
    expect(dashboard.text).toContain('Not shared with this app');
    expect(dashboard.text).toContain('company:read');
    const { apiByPath } = app.sandbox.control.state().counters;
    expect(Object.keys(apiByPath).filter((path) => path.startsWith('/company'))).toEqual([]);
    expect(app.events).toContainEqual(
      expect.objectContaining({ type: 'login_completed', scopes: ['debts:read'] }),
    );
  });

  it('[A09] an unticked one that the answer does not mention is seen when the API refuses', async () => {
    app.sandbox.control.set({ scopeInTokenResponse: 'never' });
    const browser = app.browser();
    await browser.signIn({ scopes: ['debts:read'] });
    const dashboard = await browser.get('/dashboard');
    expect([dashboard.status, dashboard.text.includes('Not shared with this app')]).toEqual([
      200,
      true,
    ]);
    expect(await isSignedIn(browser)).toBe(true);
  });

  it('[A09] more than were asked for are an event', async () => {
    const scope = 'company:read debts:read followups:read debts:write';
    const { answer } = await signInWith({ ...good, scope });
    expect(answer.status).toBe(303);
    expect(app.events).toContainEqual(
      expect.objectContaining({ type: 'scope_widened', scopes: scope.split(' ') }),
    );
  });

  it('[A09] are those asked for when the answer is silent', async () => {
    await signInWith(good);
    const scopes = ['company:read', 'debts:read', 'followups:read'];
    expect(app.events).toContainEqual(expect.objectContaining({ type: 'login_completed', scopes }));
    expect(app.events.map(({ type }) => type)).not.toContain('scope_widened');
  });
});

describe('a code', () => {
  it.each<[string, number, TokenFault]>([
    ['does not answer', 504, { mode: 'hang' }],
    ['answers too late', 504, { mode: 'delay', ms: 400 }],
    ['answers 500', 502, { mode: 'status', status: 500 }],
    ['answers 429', 502, { mode: 'status', status: 429, retryAfterS: 1 }],
    ['hangs up', 502, { mode: 'drop' }],
    ['hangs up after the work', 502, { mode: 'commitThenDrop' }],
  ])('[A13] is sent once, also when the token endpoint %s', async (_what, status, fault) => {
    const { browser, path } = await onItsWay({ through: status === 504 ? hasty : app });
    app.sandbox.control.set({ token: [{ ...fault, times: 0 }] });
    const answer = await browser.get(path, asJson);
    expect([answer.status, answer.setCookies]).toEqual([status, []]);
    const reload = await browser.get(path, asJson);
    expect([reload.status, reload.json['error']]).toEqual([400, 'login_unknown']);
    expect(codeCalls(app.sandbox)).toBe(1);
    expect(await isSignedIn(browser)).toBe(false);
  });

  it('[A13] that GetBill refuses is not sent again with another secret', async () => {
    const rotating = await startTestApp({
      env: { GETBILL_CLIENT_SECRET: `${defaultClientSecret},the-older-secret-0123456789` },
      sandbox: app.sandbox,
    });
    const { browser, state } = await onItsWay({ through: rotating });
    const answer = await browser.get(`/oauth/callback?code=forged&state=${state}`, asJson);
    await rotating.close();
    expect([answer.status, answer.json['error']]).toEqual([400, 'code_refused']);
    expect(codeCalls(app.sandbox)).toBe(1);
  });
});

describe('a token call', () => {
  let evil: Server;
  let evilUrl: string;
  let evilSaw: string[];
  beforeAll(async () => {
    evil = createServer((req, res) => {
      evilSaw.push(`${req.method ?? ''} ${req.url ?? ''}`);
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify({ ...good, access_token: 'evil' }));
    });
    await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', () => resolve()));
    evilUrl = `http://127.0.0.1:${(evil.address() as AddressInfo).port}/oauth/token`;
  });
  beforeEach(() => {
    evilSaw = [];
  });
  afterAll(() => {
    evil.closeAllConnections();
    evil.close();
  });

  it('[A17] is a form that is posted, with the secret in the body alone', async () => {
    const { browser, path } = await onItsWay();
    await browser.get(path);
    const [request, ...others] = tokenRequests(app.sandbox);
    expect(others).toEqual([]);
    expect([request?.method, request?.url]).toEqual(['POST', '/oauth/token']);
    const headers = (request?.rawHeaders ?? []).map((text) => text.toLowerCase());
    expect(headers[headers.indexOf('content-type') + 1]).toMatch(
      /^application\/x-www-form-urlencoded(;|$)/,
    );
    expect([...(request?.form.keys() ?? [])].sort()).toEqual([
      'client_id',
      'client_secret',
      'code',
      'code_verifier',
      'grant_type',
      'redirect_uri',
    ]);
    expect(request?.form.get('client_secret')).toBe(defaultClientSecret);
    expect(request?.form.get('grant_type')).toBe('authorization_code');
    const elsewhere = app.sandbox.control
      .requests()
      .map(({ url, rawHeaders }) => [url, ...rawHeaders].join());
    expect(elsewhere.join()).not.toContain(defaultClientSecret);
    expect(app.logged()).not.toContain(defaultClientSecret);
  });

  it.each([301, 302, 303, 307, 308])(
    '[A17] that is redirected (%d) ends there: the other host sees nothing',
    async (status) => {
      const { browser, path } = await onItsWay();
      app.sandbox.control.set({
        token: [{ mode: 'redirect', status, location: evilUrl, times: 0 }],
      });
      const answer = await browser.get(path, asJson);
      expect([answer.status, answer.setCookies]).toEqual([502, []]);
      expect(evilSaw).toEqual([]);
      expect(codeCalls(app.sandbox)).toBe(1);
      expect(await isSignedIn(browser)).toBe(false);
    },
  );
});

describe('the answer to a token call', () => {
  it.each<[string, unknown]>([
    ['200 with an error', { error: 'invalid_request' }],
    ['200 with an error beside tokens', { ...good, error: 'invalid_client' }],
    ['a page', '<!doctype html><h1>Attention required</h1>'],
    ['nothing', ''],
    ['half an answer', '{"access_token":"CANARY-acc'],
    ['an array', [good]],
    ['an envelope', { error: false, data: good }],
    ['no access token', { ...good, access_token: undefined }],
    ['an object for an access token', { ...good, access_token: { value: 'CANARY' } }],
    ['an empty access token', { ...good, access_token: '' }],
    ['an access token with a line break', { ...good, access_token: 'CANARY\r\nX-Evil: 1' }],
    ['an access token of more than 8 KB', { ...good, access_token: `CANARY${'a'.repeat(8192)}` }],
    ['no token type', { ...good, token_type: undefined }],
    ['token type mac', { ...good, token_type: 'mac' }],
    ['an expiry in the past', { ...good, expires_in: -5 }],
    ['an expiry of zero', { ...good, expires_in: 0 }],
    ['an expiry that is no number', { ...good, expires_in: 'abc' }],
    ['an expiry in the far future', { ...good, expires_in: 1e12 }],
    ['2 MB', { ...good, padding: 'x'.repeat(2 * 1024 * 1024) }],
  ])(
    '[A18] is unusable when it is %s: 502, nobody signed in, nothing stored, nothing shown',
    async (_what, body) => {
      const logged = app.logged().length;
      const { browser, answer } = await signInWith(body);
      expect([answer.status, answer.setCookies, answer.location]).toEqual([502, [], undefined]);
      expect(sessionIdOf(browser)).toBe('');
      expect(await isSignedIn(browser)).toBe(false);
      expect(codeCalls(app.sandbox)).toBe(1);
      expect(answer.text + app.logged().slice(logged) + JSON.stringify(app.events)).not.toContain(
        'CANARY',
      );
      expect(app.events.map(({ type }) => type)).not.toContain('login_completed');
    },
  );

  it.each(['bearer', 'Bearer', 'BEARER'])('[A18] may say %s', async (token_type) => {
    expect((await signInWith({ ...good, token_type })).answer.status).toBe(303);
  });

  it('[A18] without an expiry holds for an hour and is not renewed before', async () => {
    const { browser } = await signInWith({ ...good, expires_in: undefined });
    await browser.get('/session', asJson);
    const counters = app.sandbox.control.state().counters;
    expect(counters.tokenByGrant.refresh_token).toBe(0);
  });

  it.each([
    ['invalid_client', 'invalid_client'],
    ['redirect_uri_mismatch', 'redirect_uri_mismatch'],
    ['invalid_scope', 'invalid_scope'],
    ['something_new', 'token_request_rejected'],
  ])('that rejects us with %s is 502 and says whom to tell', async (error, code) => {
    const { answer, browser } = await signInWith({ error }, { status: 400 });
    expect([answer.status, answer.json['error']]).toEqual([502, code]);
    expect(await isSignedIn(browser)).toBe(false);
  });
});

describe('with an issuer configured', () => {
  let strict: TestApp;
  beforeAll(async () => {
    strict = await startTestApp({
      env: { GETBILL_ISSUER: app.sandbox.origin },
      sandbox: app.sandbox,
    });
  });
  afterAll(() => strict.close());

  async function answerTo(change: (params: URLSearchParams) => void, to = strict): Promise<Answer> {
    const browser = to.browser();
    const callback = new URL(await browser.approve(await browser.startLogin()), 'http://any');
    change(callback.searchParams);
    return await browser.get(callback.pathname + callback.search, asJson);
  }

  it('[A14] the right "iss" signs in', async () => {
    expect((await answerTo(() => undefined)).status).toBe(303);
  });

  it.each<[string, (params: URLSearchParams) => void]>([
    ['another', (params) => params.set('iss', 'https://evil.example')],
    ['nearly the right', (params) => params.set('iss', `${params.get('iss') ?? ''}/`)],
    ['no', (params) => params.delete('iss')],
    ['an empty', (params) => params.set('iss', '')],
  ])('[A14] %s "iss" is refused without an exchange', async (_what, change) => {
    const answer = await answerTo(change);
    expect([answer.status, answer.json['error']]).toEqual([400, 'callback_malformed']);
    expect(codeCalls(app.sandbox)).toBe(0);
  });

  it('[A14] and without one configured, "iss" is ignored', async () => {
    expect(
      (await answerTo((params) => params.set('iss', 'https://evil.example'), app)).status,
    ).toBe(303);
    expect((await answerTo((params) => params.delete('iss'), app)).status).toBe(303);
  });
});

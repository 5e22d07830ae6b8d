import { hash } from 'node:crypto';
import { faultsSchema, type ApiFault, type Faults, type TokenFault } from '../../sandbox/faults.js';
import type { Browser } from '../support/browser.js';
import { sessionIdOf } from '../support/sign-in.js';
import type { TestApp } from '../support/test-app.js';
import { linesOf, startWatchedApp, stepsOf } from '../flow/support/watched-app.js';

/** Each sandbox fault, how its call ends, and what is decided then. */
type Case<Fault> = readonly [fault: Fault, end: RegExp, decision: RegExp | undefined];

const REDIRECT = {
  mode: 'redirect',
  status: 302,
  location: 'http://127.0.0.1:9/elsewhere',
} as const;

const apiFaults: readonly Case<ApiFault>[] = [
  [{ mode: 'unauthorized' }, /401 Unauthorized: the access token is rejected/, /Sent again with the newer token/],
  [{ mode: 'rateLimited', retryAfterS: 7 }, /429 Too Many Requests: GetBill asks us to slow down/, /GetBill’s limit is used up: nobody calls for 7 s/],
  [{ mode: 'html' }, /200 OK: HTML where JSON was expected/, /Not passed on: it is not JSON/],
  [{ mode: 'html', status: 503 }, /503 Service Unavailable/, /Not passed on: GetBill has a problem/],
  [{ mode: 'huge', bytes: 17 * 1024 * 1024 }, /200 OK: too large to be read/, /Not passed on: it is too large/],
  [{ mode: 'slow', ms: 60 }, /200 OK$/, undefined],
  [{ mode: 'trickle', bytesPerS: 5_000 }, /200 OK$/, undefined],
  [{ mode: 'cut', afterBytes: 100 }, /200 OK: cut: the connection ended before the body did/, /Given up: the connection to GetBill failed/],
  [{ mode: 'hang', times: 2 }, /No response in time/, /Given up: GetBill did not respond in time/],
  [{ mode: 'hold', times: 2 }, /No response in time/, /Given up: GetBill did not respond in time/],
  [{ mode: 'drop', times: 2 }, /No response: the connection failed or was closed/, /Given up: the connection to GetBill failed/],
  [{ mode: 'status', status: 500 }, /500 Internal Server Error/, /Not passed on: GetBill has a problem/],
  [{ mode: 'status', status: 404 }, /404 Not Found/, undefined],
  [REDIRECT, /302 Found: a redirect, which is never followed/, /Not passed on: redirects are never followed/],
  [{ mode: 'errorIn200', code: 500 }, /200 OK: an error in a success/, /Not passed on: GetBill has a problem/],
  [{ mode: 'rawBody', status: 200, body: 'no json', contentType: 'application/json' }, /200 OK/, /Not passed on: it is not JSON/],
  [{ mode: 'gzip' }, /200 OK$/, undefined],
]; // prettier-ignore

const tokenFaults: readonly Case<TokenFault>[] = [
  [{ mode: 'delay', ms: 60 }, /200 OK$/, /Access token renewed/],
  [{ mode: 'hang' }, /No response in time/, /Renewal failed: paused for 5 s/],
  [{ mode: 'hold' }, /No response in time/, /Renewal failed: paused for 5 s/],
  [{ mode: 'holdAnswer' }, /No response in time/, /Renewal failed: paused for 5 s/],
  [{ mode: 'status', status: 503 }, /503 Service Unavailable/, /Renewal failed: paused for 5 s/],
  [{ mode: 'status', status: 429, retryAfterS: 9 }, /429 Too Many Requests: GetBill asks us to slow down/, /Renewal failed: paused for 9 s/],
  [{ mode: 'html' }, /HTML where JSON was expected|50\d/, /Renewal failed: paused for/],
  [{ mode: 'garbage' }, /200 OK: not JSON/, /Renewal failed: paused for 5 s/],
  [REDIRECT, /302 Found: a redirect, which is never followed/, /Renewal failed: paused for 30 s/],
  [{ mode: 'commitThenDrop' }, /No response: the connection failed or was closed/, /Renewal failed: paused for 5 s/],
  [{ mode: 'drop' }, /No response: the connection failed or was closed/, /Renewal failed: paused for 5 s/],
  [{ mode: 'tooBig', bytes: 200_000 }, /too large to be read|not JSON/, /Renewal failed: paused for 5 s/],
  [{ mode: 'body', remove: ['access_token'] }, /200 OK/, /Renewal failed: paused for 5 s/],
  [{ mode: 'rawBody', status: 400, body: '{"error":"invalid_grant"}', contentType: 'application/json' }, /400 Bad Request: invalid_grant/, /GetBill ended the grant: sign in again/],
  [{ mode: 'rawBody', status: 401, body: '{"error":"invalid_client"}', contentType: 'application/json' }, /401 Unauthorized: invalid_client/, /Renewal failed: paused for 30 s/],
]; // prettier-ignore

it('every fault of the API and of the token endpoint has a case here', () => {
  const { api, token } = faultsSchema.shape;
  const modesOf = (cases: readonly Case<{ mode: string }>[]) =>
    new Set(cases.map(([{ mode }]) => mode));
  expect(modesOf(apiFaults)).toEqual(
    new Set(api.element.options.map(({ shape }) => shape.mode.value)),
  );
  expect(modesOf(tokenFaults)).toEqual(
    new Set(token.element.options.map(({ shape }) => shape.mode.value)),
  );
});

let app: TestApp;
let browser: Browser;
beforeAll(async () => {
  app = await startWatchedApp({ env: { GETBILL_TIMEOUT_MS: '1000' } });
});
afterAll(() => app.close());
beforeEach(async () => {
  app.sandbox.control.set({ api: [], token: [] });
  await app.services.quota.forget();
  browser = app.browser();
  await browser.signIn();
});

const lastNumber = async (): Promise<number> => (await stepsOf(browser)).at(-1)?.number ?? 0;

async function linesAfter(
  fault: Parameters<TestApp['sandbox']['control']['set']>[0],
): Promise<string[]> {
  const after = await lastNumber();
  app.sandbox.control.set(fault);
  await browser.get('/api/debts?limit=5');
  return linesOf(await stepsOf(browser, { after }));
}

describe('a fault of the API, in the flow', () => {
  it.each(apiFaults)(
    '%j: the request, how it ended, what was decided',
    async (fault, end, decision) => {
      const lines = await linesAfter({ api: [fault] });
      expect(lines).toContain('app -> getbill GET /debts');
      expect(lines.filter((line) => line.startsWith('getbill --> app'))).toContainEqual(
        expect.stringMatching(end),
      );
      const notes = lines.filter((line) => line.startsWith('note'));
      if (decision === undefined) expect(notes).toEqual([]);
      else expect(notes).toContainEqual(expect.stringMatching(decision));
    },
  );

  it('GetBill is not asked again while its limit is used up, and the flow says so', async () => {
    await linesAfter({ api: [{ mode: 'rateLimited', retryAfterS: 30 }] });
    const lines = await linesAfter({ api: [] });
    expect(lines).not.toContainEqual(expect.stringMatching(/-> getbill/));
    expect(lines).toContainEqual(
      expect.stringMatching(/note Not asked: GetBill’s limit is used up for (30|29) s more/),
    );
  });
});

describe('a fault of the token endpoint, in the flow', () => {
  it.each(tokenFaults)(
    '%j: the request, how it ended, what was decided',
    async (fault, end, decision) => {
      app.sandbox.control.expireAccessTokens();
      const lines = await linesAfter({ token: [{ ...fault, grantType: 'refresh_token' }] });
      const asked = lines.indexOf('app -> getbill Refresh request');
      expect(lines.slice(asked, asked + 2)).toEqual([
        'app -> getbill Refresh request',
        expect.stringMatching(end),
      ]);
      expect(lines.filter((line) => line.startsWith('note'))).toContainEqual(
        expect.stringMatching(decision ?? /./),
      );
    },
  );

  it('nobody is asked while renewals are paused, and the flow says for how long', async () => {
    app.sandbox.control.expireAccessTokens();
    await linesAfter({ token: [{ mode: 'status', status: 503 }] });
    const lines = await linesAfter({ token: [] });
    expect(lines).not.toContain('app -> getbill Refresh request');
    expect(lines).toContainEqual(
      expect.stringMatching(/note Not asked: renewals are paused for [45] s more/),
    );
    const { text } = await browser.get('/flow');
    const titles = [...text.matchAll(/story-title">([^<]*)</g)].map((match) => match[1]);
    expect(titles.slice(0, 2)).toEqual([
      'GET /api/debts, while renewals are paused',
      'GET /api/debts, with a renewal',
    ]);
  });

  it.each<TokenFault>([
    { mode: 'status', status: 503 },
    { mode: 'hang' },
    {
      mode: 'rawBody',
      status: 400,
      body: '{"error":"invalid_grant"}',
      contentType: 'application/json',
    },
  ])('a sign-in that %j ends says at which call, and why', async (fault) => {
    const stranger = app.browser();
    const url = await stranger.startLogin();
    app.sandbox.control.set({ token: [fault] });
    await stranger.get(await stranger.approve(url));
    const steps = await stepsOf(stranger);
    const lines = linesOf(steps);
    const asked = lines.indexOf('app -> getbill Code exchange');
    expect(steps[asked + 1]).toMatchObject({ kind: 'response', outcome: 'failed' });
    expect(lines).toContainEqual(expect.stringMatching(/note Sign-in ended: /));
    expect(new Set(steps.map(({ chain }) => chain)).size).toBe(1);
  });
});

describe('what GetBill does differently from then on, in the flow', () => {
  afterEach(() => {
    app.sandbox.control.startAfresh();
    app.sandbox.control.set({ consent: 'auto' });
  });

  it.each<[string, () => void, Partial<Faults>, RegExp, RegExp]>([
    ['revoked', () => app.sandbox.control.revokeGrants(), {}, /400 Bad Request: invalid_grant/, /GetBill ended the grant/],
    ['revoked, in the words of another server', () => app.sandbox.control.revokeGrants(), { refusalStyle: 'league' }, /401 Unauthorized: invalid_request/, /GetBill ended the grant/],
    ['a client that is switched off', () => app.sandbox.control.setClientActive(false), {}, /401 Unauthorized: invalid_client/, /Renewal failed: paused for 30 s/],
    ['a refresh token that stays the same', () => undefined, { refreshToken: 'keep' }, /200 OK/, /Access token renewed/],
    ['a refresh token that is not sent', () => undefined, { refreshToken: 'omit' }, /200 OK/, /Access token renewed/],
    ['a scope in the response', () => undefined, { scopeInTokenResponse: 'always' }, /200 OK/, /Access token renewed/],
    ['a clock that is slow', () => undefined, { clockOffsetMs: -300_000 }, /200 OK/, /Access token renewed/],
    ['a clock that is fast', () => undefined, { clockOffsetMs: 300_000 }, /200 OK/, /Access token renewed/],
  ])('%s: the request, how it ended, what was decided', async (_name, act, faults, end, decision) => {
    app.sandbox.control.expireAccessTokens();
    act();
    const lines = await linesAfter(faults);
    const asked = lines.indexOf('app -> getbill Refresh request');
    expect(lines[asked + 1]).toMatch(end);
    expect(lines.filter((line) => line.startsWith('note'))).toContainEqual(
      expect.stringMatching(decision),
    );
  }); // prettier-ignore

  it('a limit that is used up: the request, how it ended, what was decided', async () => {
    const lines = await linesAfter({ limitReads: 0 });
    expect(lines).toContainEqual(expect.stringMatching(/429 Too Many Requests/));
    expect(lines).toContainEqual(expect.stringMatching(/note GetBill’s limit is used up/));
  });
});

describe('a server that repeats what it was sent', () => {
  it('finds its words in the flow without the secrets', async () => {
    app.sandbox.control.clearRequests();
    app.sandbox.control.expireAccessTokens();
    const stored = await app.services.tokens.fresh(grantOf());
    const secret = stored.refreshToken ?? '';
    const body = JSON.stringify({
      error: 'server_error',
      error_description: `no ${secret} here`,
      [secret]: secret,
    });
    await linesAfter({
      token: [{ mode: 'rawBody', status: 500, body, contentType: 'application/json' }],
    });
    const shown = (await browser.get('/flow/steps')).text;
    expect(secret.length).toBeGreaterThan(20);
    expect(shown).toContain('server_error');
    expect(shown).not.toContain(secret);
  });

  const grantOf = (): string => hash('sha256', sessionIdOf(browser), 'base64url');
});

describe('many requests at once', () => {
  it('one of them leads the renewal, the others say that they joined it', async () => {
    const after = await lastNumber();
    app.sandbox.control.expireAccessTokens();
    await Promise.all(Array.from({ length: 10 }, () => browser.get('/api/company/profile')));
    const lines = linesOf(await stepsOf(browser, { after }));
    expect(lines.filter((line) => line === 'app -> getbill Refresh request')).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('note Joined a renewal'))).not.toEqual([]);
  });
});

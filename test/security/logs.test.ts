import type { AppEvent } from '../../src/events.js';
import { parseConfig } from '../../src/config/config.js';
import { Writable } from 'node:stream';
import { inspect } from 'node:util';
import { RequestError, UnavailableError } from '../../src/errors.js';
import { createLog } from '../../src/telemetry/log.js';
import { logFailure } from '../../src/web/log-failure.js';
import { exchange, rawRequest } from '../proxy/support/raw-http.js';
import type { Browser } from '../support/browser.js';
import { callbackFor, sessionIdOf, signed } from '../support/sign-in.js';
import { SESSION_SECRET, startTestApp, type TestApp } from '../support/test-app.js';
import { startProduction, type Production } from './support/production.js';

jest.setTimeout(60_000);

interface Line extends Record<string, unknown> {
  type?: string;
  audit?: boolean;
}

let site: Production;
let app: TestApp;
beforeAll(async () => {
  site = await startProduction({ faults: { consent: 'ask' }, env: { RATE_LIMIT_CALLBACK: '50' } });
  ({ app } = site);
});
afterAll(() => site.close());
beforeEach(() => app.sandbox.control.reset());

/** What is logged from now on. */
function logFromNow(of: TestApp = app): {
  text(): string;
  lines(): Line[];
  audit(type: AppEvent['type']): Line[];
} {
  const from = of.logged().length;
  const text = (): string => of.logged().slice(from);
  const lines = (): Line[] => text().split('\n').filter(Boolean).map((line) => JSON.parse(line) as Line); // prettier-ignore
  return {
    text,
    lines,
    audit: (type) => lines().filter((line) => line.audit === true && line.type === type),
  };
}

async function signedIn(): Promise<Browser> {
  const browser = app.browser();
  await browser.signIn();
  return browser;
}

describe('the audit log', () => {
  const ip = '192.0.2.44';
  const headers = { 'x-forwarded-for': ip, 'x-request-id': 'request-of-this-test' };
  const HASH = expect.stringMatching(/^[\w-]{8}$/) as string;

  const scenarios: [AppEvent['type'], object, (browser: Browser) => Promise<unknown>][] = [
    ['login_started', { login: HASH }, (browser) => browser.get('/login?returnTo=/debts', headers).then(() => app.browser().get('/login', headers))], // prettier-ignore
    ['login_failed', { reason: 'login_cookie_missing' }, () => app.browser().get('/oauth/callback?code=x&state=y', headers)], // prettier-ignore
    ['login_failed', { reason: 'callback_malformed' }, async () => {
      const browser = app.browser();
      await browser.startLogin();
      await browser.get('/oauth/callback?code=x', headers);
    }],
    ['login_failed', { reason: 'authorization_access_denied' }, async () => {
      const browser = app.browser();
      await browser.get(await browser.approve(await browser.startLogin(), { decision: 'deny' }), headers);
    }],
    ['login_completed', { login: HASH, grant: HASH, scopes: ['company:read', 'debts:read', 'followups:read'], replaced: false }, async () => {
      const browser = app.browser();
      await browser.get(await browser.approve(await browser.startLogin()), headers);
    }],
    ['login_repeated', {}, async () => {
      const browser = app.browser();
      const path = await browser.approve(await browser.startLogin());
      await browser.get(path);
      await browser.get(path, headers);
    }],
    ['token_requested', { grantType: 'authorization_code', outcome: 'refused', status: 400 }, async () => {
      const browser = app.browser();
      await browser.get(callbackFor(await browser.startLogin()), headers);
    }],
    ['token_refreshed', { grant: HASH, trigger: 'rejected' }, async (browser) => {
      app.sandbox.control.expireAccessTokens();
      await browser.get('/api/company/profile', headers);
    }],
    ['refresh_failed', { grant: HASH, outcome: 'refused' }, async (browser) => {
      app.sandbox.control.revokeGrants();
      await browser.get('/api/company/profile', headers);
    }],
    ['session_ended', { grant: HASH, reason: 'refused' }, async (browser) => {
      app.sandbox.control.revokeGrants();
      await browser.get('/api/company/profile', headers);
    }],
    ['session_ended', { grant: HASH, reason: 'signed_out' }, async (browser) =>
      browser.send('POST', '/logout', { headers: { ...headers, 'x-csrf-token': await browser.csrfToken() } })],
    ['session_expired', {}, async (browser) => {
      await site.redis.client.del(`sess:${sessionIdOf(browser)}`);
      await browser.get('/', headers);
    }],
    ['session_broken', {}, async (browser) => {
      await site.redis.client.set(`sess:${sessionIdOf(browser)}`, '{garbage');
      await browser.get('/', headers);
    }],
    ['request_refused', { reason: 'csrf', route: '/logout' }, (browser) => browser.send('POST', '/logout', { headers })],
    ['request_refused', { reason: 'foreign_origin', route: '/logout' }, (browser) => browser.send('POST', '/logout', { headers: { ...headers, origin: 'https://evil.example' } })], // prettier-ignore
    ['request_refused', { reason: 'foreign_origin', route: '/session' }, (browser) => browser.get('/session', { ...headers, 'sec-fetch-site': 'cross-site' })], // prettier-ignore
    ['request_refused', { reason: 'navigation_only', route: '/login' }, () => app.browser().get('/login', { ...headers, 'sec-fetch-dest': 'image' })], // prettier-ignore
    ['rate_limited', { limit: 'callback' }, async () => {
      await Promise.all(Array.from({ length: 50 }, () => app.browser().get('/oauth/callback', { 'x-forwarded-for': ip })));
      await app.browser().get('/oauth/callback', headers);
    }],
    ['api_failed', { route: '/company/profile', reason: 'getbill_error' }, async (browser) => {
      app.sandbox.control.set({ api: [{ mode: 'html', status: 500, times: 1 }] });
      await browser.get('/api/company/profile', headers);
    }],
  ]; // prettier-ignore

  it.each(scenarios)(
    '[G01] has one line of %s with time, request and address: %j',
    async (type, fields, scenario) => {
      // What earlier tests used of a limit is forgotten, in Redis and in this process, which has taken some of it.
      await site.redis.client.del(...(await site.redis.client.keys('rate:*')), 'none');
      app.clock.skipMs(61_000);
      const browser = await signedIn();
      const log = logFromNow();
      await scenario(browser);
      const found = log.audit(type).filter((line) => line['requestId'] === 'request-of-this-test');
      expect(found.length).toBeGreaterThanOrEqual(1);
      expect(found.at(-1)).toMatchObject({
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
        msg: type,
        requestId: 'request-of-this-test',
        ip,
        ...fields,
      });
      if (type !== 'login_started') expect(found).toHaveLength(1);
    },
  );

  it('[G01] is written whatever LOG_LEVEL says', async () => {
    const quiet = await startTestApp({ env: { LOG_LEVEL: 'fatal' } });
    try {
      const log = logFromNow(quiet);
      await quiet.browser().get('/oauth/callback?code=x&state=y');
      expect(log.audit('login_failed')).toHaveLength(1);
      expect(log.lines().every(({ audit }) => audit === true)).toBe(true);
    } finally {
      await quiet.close();
    }
  });
});

describe('the log', () => {
  it('is short where strangers ask over plain http: its hint says what a stack could not', async () => {
    const log = logFromNow();
    const host = new URL(app.publicUrl).host;
    const request = rawRequest('GET', '/wp-login.php', [`Host: ${host}`, 'Connection: close']);
    expect((await exchange(app.origin, request)).status).toBe(500);
    const found = log.lines().find(({ code }) => code === 'insecure_request');
    expect(found).toMatchObject({ level: 50, reason: expect.any(String) as unknown });
    expect(found?.['hint']).toContain('X-Forwarded-Proto');
    expect(log.text().length).toBeLessThan(800);
  });

  it('[A11] has of an error answer one line with its cause, cut to 256 characters, and the page has none of its words', async () => {
    const browser = app.browser();
    const state = new URL(await browser.startLogin()).searchParams.get('state') ?? '';
    const log = logFromNow();
    const hostile = { error: 'x"><script>alert(1)</script>', error_description: `<img src=x onerror=alert(1)>${'d'.repeat(1_900)}`, error_uri: 'javascript:alert(1)' }; // prettier-ignore
    const answer = await browser.get(
      `/oauth/callback?${new URLSearchParams({ ...hostile, state }).toString()}`,
    );
    expect(answer.status).toBe(400);
    expect(answer.text).not.toMatch(/alert\(1\)|onerror|javascript:|dddd/);
    const lines = log.lines().filter((line) => JSON.stringify(line).includes('dddd'));
    expect(lines).toHaveLength(1);
    expect(String(lines[0]?.['hint']).length).toBeLessThanOrEqual(256 + 'GetBill said: '.length);
    expect(log.text()).not.toContain('d'.repeat(257));
  });

  it('[G02] has no session id, no callback query and no debtor data, also of broken JSON', async () => {
    const writing = await startTestApp({
      env: { GETBILL_SCOPES: 'company:read debts:read debts:write', DEBUG: '*' },
    });
    try {
      const browser = writing.browser();
      const callback = await browser.approve(await browser.startLogin());
      await browser.get(callback);
      const personal = {
        iban: 'FR7630006000011234567890189',
        phone: '+33612345678',
        email: 'debtor.canary@example.org',
      };
      const headers = {
        'content-type': 'application/json',
        'x-csrf-token': await browser.csrfToken(),
      };
      for (const body of [JSON.stringify(personal), `${JSON.stringify(personal)}}`, `{"iban":${personal.iban}}`, `"${personal.phone}`, personal.email]) await browser.send('POST', '/api/debts', { headers, body }); // prettier-ignore
      for (const body of [
        `{"data":"${personal.iban}`,
        personal.email,
        `{"iban":${personal.iban}}`,
      ]) {
        writing.sandbox.control.set({ api: [{ mode: 'rawBody', status: 200, contentType: 'application/json', body, times: 0 }] }); // prettier-ignore
        for (const path of ['/api/debts', '/debts', '/dashboard']) await browser.get(path);
      }
      const long = `{"data":["${'x'.repeat(70_000)}", ${personal.iban}`;
      writing.sandbox.control.set({ api: [{ mode: 'rawBody', status: 200, contentType: 'application/json', body: long, times: 0 }] }); // prettier-ignore
      expect((await browser.get('/debts')).status).toBe(502);
      const { searchParams } = new URL(callback, 'http://any');
      const secrets = [...Object.values(personal), searchParams.get('code') ?? '', searchParams.get('state') ?? '', sessionIdOf(browser)]; // prettier-ignore
      for (const secret of secrets)
        expect([secret, writing.logged().includes(secret)]).toEqual([secret, false]);
      for (const secret of ['FR7630', '3361234', 'debtor.can'])
        expect(writing.logged()).not.toContain(secret);
      expect(writing.logged()).toContain('"route":"/oauth/callback"');
    } finally {
      await writing.close();
    }
  });

  it('[G03] keeps one line per event, whatever is in headers, paths and texts', async () => {
    const browser = await signedIn();
    const evil = '\\r\\n{"level":60,"msg":"forged"}\u001b[31m","level":"x';
    app.sandbox.control.set({ api: [{ mode: 'status', status: 400, body: { error: true, code: 400, message: `x\r\n{"msg":"forged"}\u001b[2J` }, times: 0 }] }); // prettier-ignore
    const log = logFromNow();
    await browser.get('/api/debts', {
      'user-agent': 'x"\\u000a{"msg":"forged"}',
      'x-request-id': 'a"},{"msg":"forged"',
    });
    await browser.get('/debts');
    await browser.get(`/nowhere/${encodeURIComponent('\r\n{"msg":"forged"}\u001b[31m')}`);
    await browser.get(`/oauth/callback?${new URLSearchParams({ error: 'x\r\nforged', error_description: evil, state: 's' }).toString()}`); // prettier-ignore
    const raw = rawRequest('GET', '/nowhere%0d%0a{"msg":"forged"}', ['Host: connect.example', 'X-Forwarded-Proto: https', 'Connection: close', 'X-Forwarded-For: 1.2.3.4"}{"msg":"forged"', 'User-Agent: "}{"msg":"forged"']); // prettier-ignore
    await exchange(app.origin, raw);
    const lines = log.lines(); // each parses
    expect(lines.length).toBeGreaterThanOrEqual(8);
    expect(lines.filter(({ msg }) => msg === 'forged')).toEqual([]);
    expect(log.text()).not.toContain('\u001b');
    expect(lines.filter(({ msg }) => msg === 'request')).toHaveLength(5);
  });

  it.each(['x'.repeat(65), 'a b', 'a"b', 'ä', '../x', '', 'a,b'])(
    '[G04] takes a request number from outside only when it is well-formed: not %j',
    async (id) => {
      const headers = id === '' ? [] : [`X-Request-Id: ${id}`];
      const answer = await exchange(app.origin, rawRequest('GET', '/', ['Host: connect.example', 'X-Forwarded-Proto: https', 'Connection: close', ...headers])); // prettier-ignore
      expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    },
  );

  it('[G04] has the same request number as the answer and the call to GetBill', async () => {
    const browser = await signedIn();
    app.sandbox.control.clearRequests();
    const log = logFromNow();
    const { headers } = await browser.get('/api/company/profile', {
      'x-request-id': 'proxy-number.1_2',
    });
    expect(headers['x-request-id']).toBe('proxy-number.1_2');
    const sent = app.sandbox.control.requests().at(-1)?.rawHeaders ?? [];
    expect(sent[sent.findIndex((name) => name.toLowerCase() === 'x-request-id') + 1]).toBe(
      'proxy-number.1_2',
    );
    expect(
      log.lines().filter(({ requestId }) => requestId === 'proxy-number.1_2').length,
    ).toBeGreaterThanOrEqual(1);
  });

  it('[G05] has the address of the trusted proxy chain, and of the connection where no proxy is trusted', async () => {
    const direct = await startTestApp();
    try {
      const spoof = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9', 'x-real-ip': '203.0.113.9', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }; // prettier-ignore
      const log = logFromNow(direct);
      const answer = await direct.browser().get('/oauth/callback?code=x&state=y', spoof);
      expect(log.audit('login_failed')[0]?.['ip']).toBe('127.0.0.1');
      expect(answer.text).not.toContain('evil.example');
      const { location } = await direct.browser().get('/login', { ...spoof, host: 'evil.example' });
      expect(location).toBe(`${direct.publicUrl}/login?returnTo=%2Fdashboard&redirected=1`);
    } finally {
      await direct.close();
    }
    const log = logFromNow();
    await app
      .browser()
      .get('/oauth/callback?code=x&state=y', { 'x-forwarded-for': '203.0.113.9, 192.0.2.55' });
    expect(log.audit('login_failed')[0]?.['ip']).toBe('192.0.2.55'); // the one our proxy wrote
  });

  it('[G06] cuts what is long, and has a bounded number of lines for a flood', async () => {
    const log = logFromNow();
    for (let times = 0; times < 100; times += 1) await app.browser().get(`/nowhere/${'p'.repeat(5_000)}`, { 'user-agent': 'u'.repeat(5_000) }); // prettier-ignore
    for (const line of log.text().split('\n')) expect(line.length).toBeLessThan(8_000);
    expect(log.text()).not.toMatch(/p{2100}|u{2100}/);
    expect(log.lines().length).toBeLessThanOrEqual(200);
  });
});

describe('what strangers can write into the log', () => {
  it('is one short line for a path that does not exist, below /api as well', async () => {
    const browser = await signedIn();
    for (const path of [
      '/wp-login.php',
      '/.env',
      `/${'a'.repeat(5_000)}`,
      '/api/no-such-path',
      '/debts/1/no',
    ]) {
      const log = logFromNow();
      expect((await browser.get(path)).status).toBe(404);
      expect(log.lines().filter(({ audit }) => audit !== true)).toHaveLength(1);
      expect(log.text().length).toBeLessThan(400);
    }
  });

  it('is bounded in every field of every line', () => {
    let text = '';
    const to = new Writable({
      write(chunk: Buffer, _encoding, done) {
        text += chunk.toString();
        done();
      },
    });
    const log = createLog({ level: 'info', pretty: false, to });
    const long = 'x'.repeat(100_000);
    log.info(
      { scopes: Array<string>(10_000).fill(long), reason: long, ip: long, path: long, hint: long },
      'audit',
    );
    log.child({ audit: true }).info({ parameters: Array<string>(10_000).fill('scope') }, 'audit');
    log.error({ err: new Error(long, { cause: new Error(long) }) }, 'request failed');
    for (const line of text.trimEnd().split('\n')) expect(line.length).toBeLessThan(14_000);
    expect(text).toContain('and 9970 more');
  });
});

describe('health and configuration', () => {
  it('[K05] health says nothing but whether it is alive', async () => {
    const answer = await app.browser().get('/healthz');
    expect([answer.text, answer.headers['content-type']]).toEqual([
      '{"status":"ok"}',
      'application/json; charset=utf-8',
    ]);
    expect((await app.browser().get('/readyz')).text).toBe('{"status":"ok"}');
  });

  it('[K05] the configuration prints no secret, however it is printed', () => {
    const values = { GETBILL_CLIENT_SECRET: 'CANARY-client-secret', SESSION_SECRET, TOKEN_ENCRYPTION_KEY: Buffer.alloc(32, 'CANARY').toString('base64'), REDIS_URL: 'rediss://user:CANARY-redis-password@redis.example', METRICS_TOKEN: 'CANARY-metrics-token' }; // prettier-ignore
    const config = parseConfig({ GETBILL_CLIENT_ID: 'id-1', ...values });
    const printed = [inspect(config, { depth: 20, showHidden: true }), JSON.stringify(config), config.tokenEncryptionKeys as unknown as string, inspect(config.redis, { depth: 20 })].join('\n'); // prettier-ignore
    expect(printed).not.toContain('CANARY');
    expect(printed).not.toContain(values.TOKEN_ENCRYPTION_KEY);
    expect(printed).toContain('[secret]');
  });

  it('[G07] counters move, and nobody sees them from outside without the token', async () => {
    const measured = await startTestApp({ env: { METRICS_TOKEN: 'metrics-token-of-this-test' } });
    try {
      await measured.browser().get('/oauth/callback?code=x&state=y');
      const read = (headers: Record<string, string> = {}) =>
        measured.browser().get('/metrics', headers);
      expect((await app.browser().get('/metrics')).status).toBe(404);
      for (const headers of [
        {},
        { authorization: 'Bearer wrong' },
        { authorization: 'metrics-token-of-this-test' },
        { authorization: 'Basic metrics-token-of-this-test' },
        { authorization: 'Bearer ' },
      ]) {
        expect((await read(headers)).status).toBe(401);
      }
      const { text } = await read({ authorization: 'bearer metrics-token-of-this-test' });
      expect(text).toMatch(/logins_total\{outcome="failed",reason="login_cookie_missing"\} 1/);
    } finally {
      await measured.close();
    }
  });

  it('[G02] a signed cookie of an unknown session is an event without its id', async () => {
    const log = logFromNow();
    const browser = app.browser();
    browser.cookies.set(
      '__Host-gb-session',
      signed('CANARY-session-id-0123456789abcd', SESSION_SECRET),
    );
    await browser.get('/');
    expect(log.audit('session_expired')).toHaveLength(1);
    expect(log.text()).not.toContain('CANARY-session-id');
  });

  it.each([
    ['too many calls at once', 'too_many_open_calls'],
    ['too many streams', 'rate_limited'],
  ])('has no fault and no stack where clients reach a limit that is 503: %s', (reason, code) => {
    const written: unknown[] = [];
    const log = { info: (fields: unknown) => written.push(fields) };
    const error = new UnavailableError(reason, { code, status: 503, retryAfterS: 1 });
    logFailure(log as never, error, { path: '/' } as never, { locals: {} } as never);
    expect(written).toEqual([expect.objectContaining({ code, reason })]);
    expect(written).not.toContainEqual(expect.objectContaining({ err: error }));
  });

  it('[G02] of a body that is no JSON, of which V8 quotes the beginning, only says so', () => {
    const written: unknown[] = [];
    const log = { info: (fields: unknown) => written.push(fields) };
    const cause = new SyntaxError('Unexpected token C, "CANARY-iban" is not valid JSON');
    const error = new RequestError('no', { code: 'bad_request', status: 400, cause });
    logFailure(log as never, error, { path: '/' } as never, { locals: {} } as never);
    expect(written).toEqual([expect.objectContaining({ cause: 'not valid JSON' })]);
  });
});

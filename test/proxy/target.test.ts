import { request } from 'node:http';
import type { TestApp } from '../support/test-app.js';
import { startApiServer, type ApiServer } from './support/api-server.js';
import { signIn, startProxyApp, type Caller } from './support/caller.js';
import { exchange, rawRequest, type RawAnswer } from './support/raw-http.js';

let app: TestApp;
let caller: Caller;
let evil: ApiServer;
beforeAll(async () => {
  evil = await startApiServer();
  app = await startProxyApp({ faults: { consent: 'ask', scopeInTokenResponse: 'always' } });
  caller = await signIn(app);
});
afterAll(async () => {
  await app.close();
  await evil.close();
});
beforeEach(() => app.sandbox.control.clearRequests());
afterEach(() => expect(evil.received).toEqual([]));

const evilHost = (): string => new URL(evil.origin).host;
const sentOn = (): string[] =>
  app.sandbox.control.requests().map(({ method, url }) => `${method} ${url}`);

/** Signed in, with a CSRF token, and with the target exactly as it stands. */
const ask = (
  method: string,
  target: string,
  headers: string[] = ['Host: localhost'],
): Promise<RawAnswer> =>
  exchange(
    app.origin,
    rawRequest(method, target, [
      ...headers,
      `Cookie: ${caller.cookie()}`,
      `X-CSRF-Token: ${caller.csrfToken}`,
      'Accept: text/html',
      'Connection: close',
    ]),
  );

describe('only what is listed is called', () => {
  it.each([
    '/api',
    '/api/',
    '/api/nothing',
    '/api/company',
    '/api/company/statistics',
    '/api/debts/',
    '/api/debts/d1/notes',
    '/api/Debts',
    '/api/oauth/token',
    '/api/external-api/v1/debts',
    '/api/debts/a.b',
    `/api/debts/${'a'.repeat(129)}`,
  ])('[H02] %s is unknown by every method', async (path) => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']) {
      expect([method, (await ask(method, path)).status]).toEqual([method, 404]);
    }
    expect(sentOn()).toEqual([]);
  });

  it.each([
    ['POST', '/api/company/profile', 'GET'],
    ['HEAD', '/api/company/profile', 'GET'],
    ['OPTIONS', '/api/debts', 'GET, POST'],
    ['DELETE', '/api/debts', 'GET, POST'],
    ['PATCH', '/api/debts/d1', 'GET, PUT, DELETE'],
    ['GET', '/api/debts/batch', 'POST'],
    ['DELETE', '/api/debts/batch', 'POST'],
    ['TRACE', '/api/debts', 'GET, POST'],
    ['PROPFIND', '/api/creditors/c1', 'GET, PUT, PATCH'],
  ])('[H02] %s %s is answered 405 with what is allowed: %s', async (method, path, allow) => {
    const answer = await ask(method, path);
    expect([answer.status, answer.headers.get('allow'), sentOn()]).toEqual([405, allow, []]);
  });

  it('[H02] a missing scope is named, without a call', async () => {
    const reader = await signIn(app, { scopes: ['company:read', 'debts:read'] });
    app.sandbox.control.clearRequests();
    const answers = [
      await reader.read('/api/followups'),
      await reader.write('DELETE', '/api/debts/d1'),
    ];
    expect(answers.map(({ status, json }) => [status, json['error'], json['scope']])).toEqual([
      [403, 'missing_scope', 'followups:read'],
      [403, 'missing_scope', 'debts:write'],
    ]);
    expect(sentOn()).toEqual([]);
  });
});

describe('the path cannot leave the base of the API', () => {
  it.each([
    // plain
    '/api/../oauth/token',
    '/api/../../oauth/token',
    '/api/debts/../../oauth/token',
    '/api/debts/..',
    '/api/debts/.',
    '/api/./debts',
    '/api/debts/../company/users',
    '/api/debts;/../x',
    // encoded
    '/api/%2e%2e/oauth/token',
    '/api/debts/%2e%2e%2f%2e%2e%2foauth%2ftoken',
    '/api/debts/..%2f..%2foauth%2ftoken',
    '/api/debts%2fd1',
    '/api%2fdebts',
    '/%61pi/debts',
    '/api/debts/%64%31',
    '/api/debts/%00',
    '/api/debts/a%0d%0aHost:%20evil',
    '/api/debts/%c0%ae%c0%ae/x',
    '/api/debts/%',
    // double-encoded
    '/api/%252e%252e/oauth/token',
    '/api/debts/%252e%252e%252foauth',
    // backslash
    '/api/..\\..\\oauth\\token',
    '/api/debts\\..\\..\\oauth',
    '/api\\debts',
    '/api/debts/%5c..%5c..',
    '\\api\\debts',
    // doubled slashes
    '/api//debts',
    '//api/debts',
    '/api/debts//d1',
  ])('[H03] %s', async (target) => {
    for (const method of ['GET', 'POST', 'DELETE']) {
      const { status } = await ask(method, target);
      expect([method, [400, 404].includes(status), status]).toEqual([method, true, status]);
    }
    expect(sentOn()).toEqual([]);
  });

  it('[H03] whatever it is made of, what is sent on is a listed path below the base', async () => {
    const pieces = [
      'api',
      'debts',
      'd1',
      '..',
      '.',
      '',
      '%2e%2e',
      '%2f',
      '\\',
      ';',
      'by-debtor',
      'company',
      '@',
      ':',
    ];
    let seed = 20_240_115;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let round = 0; round < 300; round++) {
      const parts = Array.from({ length: 1 + random(5) }, () => pieces[random(pieces.length)]);
      const { status } = await ask('GET', `/api/${parts.join('/')}`);
      expect(status).toBeLessThan(500);
    }
    for (const line of sentOn()) {
      expect(line).toMatch(
        /^GET \/external-api\/v1\/(debts|debts\/[a-z0-9-]+|debts\/by-debtor\/[a-z0-9-]+)$/,
      );
    }
  });
});

describe('the host cannot change', () => {
  it.each([
    'http://HOST/api/company/profile',
    'http://HOST/external-api/v1/company/profile',
    'https://HOST/api/company/profile',
    '//HOST/api/company/profile',
    '/api//HOST/company/profile',
    '/api/http://HOST/company/profile',
    '/\\HOST/api/company/profile',
    '/api/\\\\HOST\\company\\profile',
    '/api/@HOST/company/profile',
    '/api@HOST/company/profile',
    '@HOST/api/company/profile',
    '/api/debts/@HOST',
    '/api/debts:PORT',
    'http://localhost@HOST/api/company/profile',
  ])('[H04] by the form of the target: %s', async (form) => {
    const target = form.replace('HOST', evilHost()).replace('PORT', new URL(evil.origin).port);
    for (const method of ['GET', 'POST']) {
      const { status, headers } = await ask(method, target);
      expect([method, [400, 404].includes(status), status]).toEqual([method, true, status]);
      expect(headers.get('location')).toBeUndefined();
    }
    expect(sentOn()).toEqual([]);
  });

  it('[H04] by a Host header, nor by what a proxy would add to it', async () => {
    const headers = [`Host: ${evilHost()}`, `X-Forwarded-Host: ${evilHost()}`, `Forwarded: host=${evilHost()}`, `X-Original-URL: http://${evilHost()}/`, `X-Rewrite-URL: /oauth/token`]; // prettier-ignore
    const answer = await ask('GET', '/api/company/profile', headers);
    expect(answer.status).toBe(200);
    expect(sentOn()).toEqual(['GET /external-api/v1/company/profile']);
  });

  it('[H04] by CONNECT, which ends the connection', async () => {
    const { host, port } = { host: '127.0.0.1', port: new URL(app.origin).port };
    const outcome = await new Promise((resolve) => {
      const connect = request({ host, port, method: 'CONNECT', path: evilHost() });
      connect.once('error', () => resolve('ended'));
      connect.once('connect', (res) => resolve(res.statusCode));
      connect.end();
    });
    expect(outcome).toBe('ended');
  });

  it('[H04] by an address in the query', async () => {
    const query = `?url=http://${evilHost()}/&redirect=//${evilHost()}`;
    expect((await ask('GET', `/api/debts${query}`)).status).toBe(200);
    expect(sentOn()).toEqual([`GET /external-api/v1/debts${query}`]);
  });
});

describe('the query', () => {
  it.each([
    '?page=2&limit=5',
    '?status=a&status=b&status=a',
    '?page=&limit',
    '?search=a+b%20c%2Bd%26e%3D%25',
    '?a[]=1&a[]=2&b[c]=d',
    '?q=%C3%A9%00%0A',
    '?q=a?b=c&d=/../x',
    '?__proto__[x]=1&constructor=2',
    '?q=O%27Neil|{x}^`~!*()',
    '?&&=&=',
  ])('[H12] is passed on as it was given: %s', async (query) => {
    await ask('GET', `/api/debts${query}`);
    expect(sentOn()).toEqual([`GET /external-api/v1/debts${query}`]);
  });

  it('[H12] is refused when it holds bytes that are not ASCII', async () => {
    const answer = await ask(
      'GET',
      `/api/debts?search=${Buffer.from('Éloïse').toString('latin1')}`,
    );
    expect([answer.status, sentOn()]).toEqual([400, []]);
  });

  it('[H12] cannot be parted from its request by a fragment', async () => {
    const { status } = await ask('GET', '/api/debts#/../company/profile');
    expect([status, sentOn()]).toEqual([404, []]);
  });
});

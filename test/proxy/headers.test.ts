import type { TestApp } from '../support/test-app.js';
import { signIn, startProxyApp, type Caller } from './support/caller.js';
import { exchange, rawRequest } from './support/raw-http.js';

let app: TestApp;
let caller: Caller;
beforeAll(async () => {
  app = await startProxyApp();
  caller = await signIn(app);
});
afterAll(() => app.close());
beforeEach(() => app.sandbox.control.clearRequests());

/** Of the only request the API got: name and value in turn. */
function headersAtTheApi(): [name: string, value: string][] {
  const [only, ...more] = app.sandbox.control.requests();
  expect(more).toEqual([]);
  const raw = only?.rawHeaders ?? [];
  return raw.flatMap((name, index): [string, string][] => (index % 2 === 0 ? [[name.toLowerCase(), raw[index + 1] ?? '']] : [])); // prettier-ignore
}

const names = (headers: [string, string][]): string[] => headers.map(([name]) => name).sort();

const SENT_BY_US = [
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'host',
  'user-agent',
  'x-request-id',
];

const NOT_OURS_TO_SEND = [
  'Authorization: Bearer evil',
  'Proxy-Authorization: Basic ZXZpbA==',
  'X-Forwarded-For: 203.0.113.7',
  'X-Forwarded-Host: evil.example',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Port: 1',
  'X-Forwarded-Prefix: /x',
  'X-Real-IP: 203.0.113.7',
  'Forwarded: for=203.0.113.7;host=evil.example',
  'Via: 1.1 evil',
  'X-A: 1',
  'X-B: 2',
  'Keep-Alive: timeout=1000',
  'Proxy-Connection: keep-alive',
  'TE: trailers',
  'Trailer: X-A',
  'Upgrade: h2c',
  'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
  'X-HTTP-Method-Override: DELETE',
  'X-HTTP-Method: DELETE',
  'X-Method-Override: DELETE',
  'Origin-Agent-Cluster: ?1',
  'Referer: https://evil.example/',
  'User-Agent: curl/8',
  'If-None-Match: "x"',
  'If-Modified-Since: Mon, 15 Jan 2024 10:30:00 GMT',
  'Range: bytes=0-10',
  'Accept-Language: fr',
  'X-Company-Id: another',
  'Content-Encoding: identity',
  'Max-Forwards: 0',
];

describe('the headers of a call', () => {
  it('[H05] are ours alone: exactly one Authorization, nothing of the browser', async () => {
    const headers = ['Host: evil.example', 'Connection: close, X-A, Upgrade, Authorization', `Cookie: ${caller.cookie()}; tracking=1`, ...NOT_OURS_TO_SEND]; // prettier-ignore
    const answer = await exchange(app.origin, rawRequest('GET', '/api/company/profile', headers));
    expect(answer.status).toBe(200);
    const sent = headersAtTheApi();
    expect(names(sent)).toEqual(SENT_BY_US);
    const byName = new Map(sent);
    expect(byName.get('authorization')).toMatch(/^Bearer (?!evil)\S+$/);
    expect(byName.get('host')).toBe(new URL(app.sandbox.origin).host);
    expect(byName.get('user-agent')).toMatch(/^getbill-connect\/\d+\.\d+\.\d+/);
    expect(byName.get('accept')).toBe('application/json');
    expect(byName.get('connection')).toBe('keep-alive');
    expect(sent.flat().join(' ')).not.toMatch(/evil|203\.0\.113|tracking|gb-session/);
  });

  it('[H05] gain nothing from an Authorization that is sent twice, or in odd case', async () => {
    const headers = ['Host: x', 'Connection: close', `Cookie: ${caller.cookie()}`, 'AUTHORIZATION: Bearer one', 'authorization: Bearer two']; // prettier-ignore
    expect(
      (await exchange(app.origin, rawRequest('GET', '/api/company/profile', headers))).status,
    ).toBe(200);
    expect(names(headersAtTheApi())).toEqual(SENT_BY_US);
  });

  it('[H05] of a write have a media type and a true length besides, and no Expect', async () => {
    const body = '{"amount":"many"}';
    const headers = ['Host: x', 'Connection: close', `Cookie: ${caller.cookie()}`, `X-CSRF-Token: ${caller.csrfToken}`, 'Expect: 100-continue', 'Content-Type: application/json; charset=UTF-8', `Content-Length: ${body.length}`]; // prettier-ignore
    const answer = await exchange(app.origin, rawRequest('POST', '/api/debts', headers, body));
    expect(answer.status).toBe(400);
    const sent = headersAtTheApi();
    expect(names(sent)).toEqual([...SENT_BY_US, 'content-length', 'content-type'].sort());
    expect(new Map(sent).get('content-length')).toBe(String(body.length));
    expect(new Map(sent).get('content-type')).toBe('application/json');
  });

  it('[H05] an expectation that nobody can meet is refused', async () => {
    const headers = [
      'Host: x',
      'Connection: close',
      `Cookie: ${caller.cookie()}`,
      'Expect: 200-ok',
    ];
    const answer = await exchange(app.origin, rawRequest('GET', '/api/company/profile', headers));
    expect(answer.status).toBe(417);
    expect(app.sandbox.control.requests()).toEqual([]);
  });

  it('[H05] carry our request number, not an ill-formed one', async () => {
    await caller.read('/api/company/profile', { 'x-request-id': 'from the browser' });
    const id = new Map(headersAtTheApi()).get('x-request-id');
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([
    ['gzip, deflate, br, zstd', 'gzip, deflate, br'],
    ['zstd', 'identity'],
    ['*', 'identity'],
    ['GZIP;q=0.5, br;q=1.0, x-snappy', 'GZIP;q=0.5, br;q=1.0'],
    ['gzip;q=0', 'gzip;q=0'],
    ['', 'identity'],
  ])(
    '[immunity 24] ask only for encodings that can be judged: %j becomes %j',
    async (accepted, asked) => {
      await caller.read('/api/company/profile', { 'accept-encoding': accepted });
      expect(new Map(headersAtTheApi()).get('accept-encoding')).toBe(asked);
    },
  );
});

const NOT_OURS_TO_RELAY = {
  'set-cookie': 'evil=1; Path=/',
  'access-control-allow-origin': '*',
  'access-control-allow-credentials': 'true',
  'access-control-expose-headers': '*',
  'content-security-policy': "default-src *; script-src 'unsafe-inline'",
  'strict-transport-security': 'max-age=0',
  'x-frame-options': 'ALLOWALL',
  'x-content-type-options': 'sniff',
  'referrer-policy': 'unsafe-url',
  'permissions-policy': 'camera=*',
  'cache-control': 'public, max-age=86400',
  'clear-site-data': '"*"',
  'content-disposition': 'attachment; filename=x.html',
  'content-location': '/evil',
  'x-request-id': 'theirs',
  'x-sourcemap': '/evil.map',
  'service-worker-allowed': '/',
  'proxy-authenticate': 'Basic',
  'www-authenticate': 'Basic realm="evil"',
  server: 'nginx/1.2.3',
  'x-powered-by': 'PHP/5',
  via: '1.1 inside.getbill',
  location: 'https://evil.example/',
  refresh: '0; url=https://evil.example/',
  link: '<https://evil.example/x.css>; rel=stylesheet',
  etag: '"theirs"',
  'last-modified': 'Mon, 15 Jan 2024 10:30:00 GMT',
  'set-login': 'logged-in',
  connection: 'keep-alive, X-B',
  'x-b': '1',
  'alt-svc': 'h3=":443"',
  'report-to': '{}',
};

describe('the headers of an answer', () => {
  it.each([200, 404])(
    '[H06] of %i are ours, and of theirs only those on the list',
    async (status) => {
      const health = await caller.read('/healthz');
      const limits = { 'x-ratelimit-limit': '1000', 'x-ratelimit-remaining': '999', 'x-ratelimit-reset': '1', 'x-ratelimit-window': '3600' }; // prettier-ignore
      const headers = { ...NOT_OURS_TO_RELAY, ...limits, 'retry-after': '7' };
      const body = '{"error":false,"data":{}}';
      app.sandbox.control.set({
        api: [{ mode: 'rawBody', status, body, contentType: 'application/json', headers }],
      });
      const answer = await caller.read('/api/company/profile');
      expect([answer.status, answer.bytes.toString()]).toEqual([status, body]);

      const ours = Object.keys(health.headers).filter((name) => name !== 'x-request-id');
      expect(Object.keys(answer.headers).sort()).toEqual([...ours, 'x-request-id', ...Object.keys(limits), 'retry-after'].sort()); // prettier-ignore
      for (const name of ours) {
        if (['date', 'content-length', 'content-type'].includes(name)) continue;
        expect([name, answer.headers[name]]).toEqual([name, health.headers[name]]);
      }
      expect(answer.headers).toMatchObject({
        ...limits,
        'retry-after': '7',
        'cache-control': 'no-store',
      });
      expect(answer.headers['x-request-id']).not.toBe('theirs');
      expect(answer.headers['content-length']).toBe(String(body.length));
    },
  );

  it('[H06] stay on one connection when theirs says close', async () => {
    const headers = { connection: 'close', 'keep-alive': 'timeout=1' };
    app.sandbox.control.set({ api: [{ mode: 'rawBody', status: 200, body: '{}', contentType: 'application/json', headers }] }); // prettier-ignore
    const answer = await caller.read('/api/company/profile');
    expect([answer.headers['connection'], answer.headers['keep-alive']]).toEqual([
      'keep-alive',
      'timeout=5',
    ]);
  });
});

import { AppError, StorageError } from '../../src/errors.js';
import type { Answer, Browser } from '../support/browser.js';
import { startTestApp } from '../support/test-app.js';
import { exchange, rawRequest } from '../proxy/support/raw-http.js';
import { startProduction, type Production } from './support/production.js';

jest.setTimeout(60_000);

const METRICS_TOKEN = 'metrics-token-of-this-test';

let site: Production;
let planted: Error | undefined;
let answers: Map<string, Answer>;
let signedIn: Browser;

/** One answer of every kind the app has. */
async function collect(): Promise<Map<string, Answer>> {
  const { app } = site;
  const found = new Map<string, Answer>();
  const stranger = app.browser();
  signedIn = app.browser();
  const keep = async (name: string, status: number, answer: Promise<Answer>): Promise<void> => {
    const got = await answer;
    if (got.status !== status) throw new Error(`${name}: ${got.status} instead of ${status}`);
    found.set(name, got);
  };
  const json = { accept: 'application/json' };

  await keep('the landing page', 200, stranger.get('/'));
  await keep('its HEAD', 200, stranger.send('HEAD', '/'));
  await keep('a page without a session', 302, stranger.get('/dashboard'));
  await keep('the API without a session', 401, stranger.get('/api/debts'));
  await keep('the session without a session', 401, stranger.get('/session'));
  await keep('a sign-out without a session', 303, stranger.send('POST', '/logout'));
  await keep('a sign-in from a frame', 403, stranger.get('/login', { 'sec-fetch-dest': 'iframe' }));
  await keep('a sign-in on another host', 302, stranger.get('/login', { host: 'evil.example' }));
  await keep('a callback without a login', 400, stranger.get('/oauth/callback?code=x&state=y'));
  await keep(
    'a prefetched callback',
    204,
    stranger.get('/oauth/callback?code=x', { 'sec-purpose': 'prefetch' }),
  );
  await keep('an unknown page', 404, stranger.get('/nowhere'));
  await keep('an unknown path, as JSON', 404, stranger.get('/nowhere', json));
  await keep('a wrong method', 405, stranger.send('PUT', '/dashboard'));
  await keep('a malformed path', 400, signedIn.get('/debts/%ff').then((answer) => (answer.status === 302 ? stranger.get('/oauth/callback') : answer))); // prettier-ignore
  for (let times = 0; times < 5; times += 1)
    await stranger.get('/oauth/callback', { 'x-forwarded-for': '192.0.2.1' });
  await keep(
    'too many callbacks',
    429,
    stranger.get('/oauth/callback', { 'x-forwarded-for': '192.0.2.1' }),
  );
  await keep('an insecure request', 500, stranger.get('/', { 'x-forwarded-proto': 'http' }));
  await keep('a health check', 200, stranger.get('/healthz'));
  await keep('a readiness check', 200, stranger.get('/readyz'));
  await keep('metrics without the token', 401, stranger.get('/metrics'));
  await keep(
    'metrics',
    200,
    stranger.get('/metrics', { authorization: `Bearer ${METRICS_TOKEN}` }),
  );

  const authorizeUrl = await signedIn.startLogin();
  await keep('the start of a sign-in', 302, app.browser().get('/login'));
  await keep('the callback', 303, signedIn.get(await signedIn.approve(authorizeUrl)));
  for (const path of [
    '/',
    '/dashboard',
    '/debts',
    '/connection',
    '/session',
    '/api/company/profile',
  ]) {
    await keep(`${path}, signed in`, 200, signedIn.get(path));
  }
  await keep('an unknown endpoint', 404, signedIn.get('/api/nothing'));
  await keep('a wrong method of the API', 405, signedIn.send('DELETE', '/api/company/profile', { headers: { 'x-csrf-token': await signedIn.csrfToken() } })); // prettier-ignore
  await keep('a write without a CSRF token', 403, signedIn.send('POST', '/api/debts'));
  await keep('a write from another site', 403, signedIn.send('POST', '/logout', { headers: { 'sec-fetch-site': 'cross-site' } })); // prettier-ignore
  await keep('a large form', 413, signedIn.send('POST', '/logout', { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `a=${'a'.repeat(11_000)}` })); // prettier-ignore

  planted = new Error('planted');
  await keep('a page that fails', 500, signedIn.get('/connection'));
  await keep('a page that fails, as JSON', 500, signedIn.get('/connection', json));
  planted = new StorageError('planted');
  await keep('a page without storage', 503, signedIn.get('/connection'));
  planted = new AppError('planted', { code: 'getbill_timeout', status: 504 });
  await keep('a page that times out', 504, signedIn.get('/connection'));
  app.sandbox.control.set({ api: [{ mode: 'html', times: 1, path: '/debts' }] });
  await keep('a page with a bad API answer', 502, signedIn.get('/debts'));
  app.sandbox.control.set({
    api: [{ mode: 'rateLimited', retryAfterS: 1, times: 1, path: '/debts' }],
  });
  await keep('the API over its quota', 429, signedIn.get('/api/debts'));
  app.clock.skipMs(2_000);
  planted = undefined;
  return found;
}

beforeAll(async () => {
  site = await startProduction({
    env: { METRICS_TOKEN, RATE_LIMIT_CALLBACK: '5' },
    wrap: (services) => ({
      ...services,
      quota: {
        ...services.quota,
        lastKnown: (limitClass) =>
          planted === undefined ? services.quota.lastKnown(limitClass) : Promise.reject(planted),
      },
    }),
  });
  answers = await collect();
});
afterAll(() => site.close());

/** The answers whose header is not as it must be. As text: `toEqual` passes over a header that is missing. */
function deviations(header: string, expected: string | undefined): Record<string, string> {
  const wrong = [...answers].filter(([, { headers }]) => headers[header] !== expected);
  return Object.fromEntries(wrong.map(([name, { headers }]) => [name, String(headers[header])]));
}

describe('every answer, whatever its status and media type', () => {
  it('[E01] has a Content-Security-Policy that allows nothing inline, nothing of others and no frame', () => {
    const policy =
      "default-src 'none';script-src 'self';style-src 'self';img-src 'self';connect-src 'self';form-action 'self';base-uri 'none';object-src 'none';frame-ancestors 'none'";
    expect(deviations('content-security-policy', policy)).toEqual({});
    expect(policy).not.toMatch(/unsafe|\*|https?:|data:/);
    expect(answers.size).toBeGreaterThan(35);
  });

  it('[E02] has HSTS for two years, of this host alone', () => {
    expect(deviations('strict-transport-security', 'max-age=63072000')).toEqual({});
  });

  it.each([
    ['off', undefined],
    ['host', 'max-age=63072000'],
    ['subdomains', 'max-age=63072000; includeSubDomains'],
    ['preload', 'max-age=63072000; includeSubDomains; preload'],
  ])('[E02] has what HSTS=%s says, on pages, files and /api alike', async (hsts, header) => {
    const env = { REDIS_URL: site.redis.url, HSTS: hsts };
    const chosen = await startTestApp({ https: true, env, sandbox: site.app.sandbox });
    for (const path of ['/', '/assets/style.css', '/api/debts']) {
      const { headers } = await chosen.browser().get(path);
      expect([path, headers['strict-transport-security']]).toEqual([path, header]);
    }
    await chosen.close();
  });

  it.each([
    ['x-content-type-options', 'nosniff'],
    ['referrer-policy', 'no-referrer'],
    ['cross-origin-opener-policy', 'same-origin'],
    ['cross-origin-resource-policy', 'same-origin'],
    ['x-frame-options', 'DENY'],
    [
      'permissions-policy',
      'camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()',
    ],
    ['x-powered-by', undefined],
    ['server', undefined],
    ['access-control-allow-origin', undefined],
  ])('[E03] has %s: %s', (header, value) => {
    expect(deviations(header, value)).toEqual({});
  });

  it('[E04] is not to be stored', () => {
    expect(deviations('cache-control', 'no-store')).toEqual({});
    expect(deviations('etag', undefined)).toEqual({});
    expect(deviations('last-modified', undefined)).toEqual({});
  });

  it('has a request number, which pages and JSON errors show', () => {
    for (const [name, { headers, text, status }] of answers) {
      const id = headers['x-request-id'];
      expect([name, typeof id]).toEqual([name, 'string']);
      const ours = status >= 400 && name !== 'the API over its quota'; // whose body is GetBill's
      if (ours) expect([name, text]).toEqual([name, expect.stringContaining(String(id))]);
    }
  });
});

describe('a browser that asks whether its copy is still good', () => {
  const conditions = [
    { 'if-none-match': '*' },
    { 'if-none-match': '"x", W/"y"' },
    { 'if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' },
  ];

  it.each(conditions)('[E04] never gets a 304 where personal data is: %j', async (condition) => {
    for (const path of [
      '/',
      '/dashboard',
      '/debts',
      '/connection',
      '/session',
      '/api/company/profile',
    ]) {
      expect([path, (await signedIn.get(path, condition)).status]).toEqual([path, 200]);
    }
  });

  it('gets one for a file', async () => {
    const { headers } = await signedIn.get('/assets/style.css');
    expect(headers['cache-control']).toBe('public, max-age=3600');
    expect(
      (await signedIn.get('/assets/style.css', { 'if-none-match': String(headers['etag']) }))
        .status,
    ).toBe(304);
  });
});

describe('a static file', () => {
  it.each(['/assets/style.css', '/assets/icon.svg', '/assets/live.js', '/assets/nothing'])(
    '[E01] [E02] [E03] has the same security headers: %s',
    async (path) => {
      const { headers } = await site.app.browser().get(path);
      const page = answers.get('the landing page')?.headers ?? {};
      for (const name of ['content-security-policy', 'strict-transport-security', 'x-content-type-options', 'cross-origin-resource-policy']) {
        expect(headers[name]).toBe(page[name]);
      } // prettier-ignore
    },
  );
});

describe('pages', () => {
  it('[E05] hold nothing inline and nothing of others', () => {
    const pages = [...answers].filter(([, { headers }]) =>
      String(headers['content-type']).startsWith('text/html'),
    );
    expect(pages.length).toBeGreaterThan(15);
    const inline =
      /^<(?:script(?![^>]*\ssrc="\/assets\/)|style|base|iframe)|\sstyle=|\son[a-z]+\s*=|javascript:/i;
    const foreign = /\s(?:src|href|action|srcset|data)="(?!mailto:|tel:)(?:[a-z]+:|\/\/)/i;
    for (const [name, { text }] of pages) {
      const tags = text.match(/<[a-z][^>]*>/gi) ?? [];
      expect([name, tags.filter((tag) => inline.test(tag) || foreign.test(tag))]).toEqual([
        name,
        [],
      ]);
    }
  });
});

describe('on http, as in development', () => {
  it('[E02] there is no HSTS, and everything else is the same', async () => {
    const app = await startTestApp();
    try {
      const { headers } = await app.browser().get('/');
      expect(headers['strict-transport-security']).toBeUndefined();
      const page = answers.get('the landing page')?.headers ?? {};
      for (const name of [
        'content-security-policy',
        'cross-origin-opener-policy',
        'cache-control',
      ]) {
        expect(headers[name]).toBe(page[name]);
      }
    } finally {
      await app.close();
    }
  });
});

describe('a request that did not arrive over https', () => {
  it.each([
    ['by a proxy that says http', ['X-Forwarded-Proto: http'], 'X-Forwarded-Proto is there'],
    ['by a proxy that says nothing', [], 'X-Forwarded-Proto is missing'],
  ])(
    '[E07] is answered 500 and never redirected, and the log says what to set: %s',
    async (_name, headers, says) => {
      const { app } = site;
      for (const [method, target] of [['GET', '/'], ['GET', '/login'], ['GET', '/dashboard'], ['GET', '/oauth/callback?code=x&state=y'], ['POST', '/api/debts'], ['GET', '/nowhere']] as const) {
      const logged = app.logged().length;
      const answer = await exchange(app.origin, rawRequest(method, target, ['Host: evil.example', 'Connection: close', 'Accept: text/html', ...headers])); // prettier-ignore
      expect([target, answer.status, answer.headers.get('location'), answer.headers.get('set-cookie')]).toEqual([target, 500, undefined, undefined]); // prettier-ignore
      expect(answer.body).not.toContain('evil.example');
      const line = app.logged().slice(logged);
      expect(line).toContain('TRUST_PROXY');
      expect(line).toContain(says);
    } // prettier-ignore
    },
  );

  it('[E07] did, when the proxy writes the scheme in capitals', async () => {
    const headers = ['Host: connect.example', 'X-Forwarded-Proto: HTTPS', 'Connection: close'];
    const { status } = await exchange(site.app.origin, rawRequest('GET', '/', headers));
    expect(status).toBe(200);
  });

  it('[E07] is still told whether the app is alive, without TLS as a load balancer asks', async () => {
    const answer = await exchange(
      site.app.origin,
      rawRequest('GET', '/healthz', ['Host: 10.0.0.1', 'Connection: close']),
    );
    expect([answer.status, answer.body]).toEqual([200, '{"status":"ok"}']);
  });
});

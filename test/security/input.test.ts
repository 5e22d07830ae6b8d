import { StorageError, UnavailableError } from '../../src/errors.js';
import { exchange, rawRequest } from '../proxy/support/raw-http.js';
import type { Answer, Browser } from '../support/browser.js';
import { isSignedIn } from '../support/sign-in.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { startProduction, type Production } from './support/production.js';
import { snapshot } from './support/snapshot.js';

jest.setTimeout(60_000);

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

let site: Production;
let app: TestApp;
let browser: Browser;
let csrfToken: string;
beforeAll(async () => {
  site = await startProduction();
  ({ app } = site);
  browser = app.browser();
  await browser.signIn();
  csrfToken = await browser.csrfToken();
});
afterAll(() => site.close());
beforeEach(() => app.sandbox.control.reset());

const cookieLine = (): string => `Cookie: ${Array.from(browser.cookies, ([name, value]) => `${name}=${value}`).join('; ')}`; // prettier-ignore
const raw = (method: string, target: string, headers: readonly string[] = [], body = '') =>
  exchange(app.origin, rawRequest(method, target, ['Host: connect.example', 'X-Forwarded-Proto: https', 'Connection: close', ...headers], body)); // prettier-ignore

describe('parameters of an odd shape', () => {
  const shapes = [
    'x=1&x=2',
    'x[]=a',
    'x[b]=c',
    '__proto__[x]=1',
    '__proto__.x=1',
    'constructor[prototype][x]=1',
    'constructor=1',
    'hasOwnProperty=1',
    'x=%00',
    'x=%ff',
    'x=%',
    `x=${'a'.repeat(8_000)}`,
    'settings[view options][client]=1&settings[view options][escapeFunction]=1;return 7',
    '&&==&=&',
  ];
  const names = ['state', 'code', 'error', 'returnTo', 'page', 'status', '_csrf'];
  const paths = ['/', '/login', '/oauth/callback', '/dashboard', '/debts', '/debts/x', '/connection', '/session', '/api/debts', '/healthz', '/nowhere']; // prettier-ignore

  it.each(paths)('[F01] never break a route and change no prototype: %s', async (path) => {
    const someone = app.browser();
    for (const [name, value] of browser.cookies) someone.cookies.set(name, value);
    const queries = shapes.flatMap((shape, index) => [shape, shape.replaceAll(/\bx(?==|\[)/g, names[index % names.length] ?? 'x')]); // prettier-ignore
    const statuses = await Promise.all(queries.map(async (query) => [query.slice(0, 40), (await raw('GET', `${path}?${query.replaceAll(' ', '%20')}`, [cookieLine()])).status])); // prettier-ignore
    expect(statuses.filter(([, status]) => !(Number(status) < 500))).toEqual([]);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it.each([
    '{"__proto__":{"x":1}}',
    '{"constructor":{"prototype":{"x":1}}}',
    '[]',
    'null',
    '1',
    '"x"',
    '{}',
  ])(
    '[F01] [F03] in a body of an API call or a form are never an error of ours: %s',
    async (body) => {
      for (const path of ['/api/debts', '/logout', '/login']) {
        for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
          const { status } = await browser.send('POST', path, {
            headers: { 'content-type': type },
            body,
          });
          expect([path, type, status]).toEqual([path, type, path === '/login' ? 405 : path === '/logout' && type === 'application/json' ? 415 : 403]); // prettier-ignore
        }
      }
      expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    },
  );

  it('[F01] in a form with the right token are ignored', async () => {
    const other = app.browser();
    await other.signIn();
    const token = encodeURIComponent(await other.csrfToken());
    const body = `__proto__[x]=1&constructor=1&_csrf[]=a&_csrf=${token}`;
    expect((await other.send('POST', '/logout', { headers: FORM, body })).status).toBe(303);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

describe('a form', () => {
  const token = (): string => `_csrf=${encodeURIComponent(csrfToken)}`;

  it.each<[string, number, Record<string, string>, () => string]>([
    ['is larger than 10 KB', 413, FORM, () => `${token()}&x=${'a'.repeat(11_000)}`],
    ['has 1,001 fields', 413, FORM, () => `${token()}${'&a=1'.repeat(1_001)}`],
    [
      'is in UTF-7',
      415,
      { 'content-type': 'application/x-www-form-urlencoded; charset=utf-7' },
      token,
    ],
    ['is compressed', 415, { ...FORM, 'content-encoding': 'gzip' }, token],
    [
      'is compressed in a way nobody knows',
      415,
      { ...FORM, 'content-encoding': 'x-unknown' },
      token,
    ],
    ['is of another media type', 415, { 'content-type': 'text/plain' }, token],
    ['is multipart', 415, { 'content-type': 'multipart/form-data; boundary=x' }, () => '--x--'],
    [
      'is JSON',
      415,
      { 'content-type': 'application/json' },
      () => JSON.stringify({ _csrf: csrfToken }),
    ],
    ['says nothing of its media type', 415, {}, token],
  ])('[F02] is refused when it %s', async (_name, status, headers, body) => {
    const answer = await browser.send('POST', '/logout', { headers, body: body() });
    expect([answer.status, answer.setCookies]).toEqual([status, []]);
    expect(await isSignedIn(browser)).toBe(true);
  });

  it('[F02] may be missing when the token comes in the header', async () => {
    for (const headers of [{}, { 'content-length': '0' }]) {
      const other = app.browser();
      await other.signIn();
      const answer = await other.send('POST', '/logout', { headers: { 'x-csrf-token': await other.csrfToken(), ...headers } }); // prettier-ignore
      expect(answer.status).toBe(303);
    }
  });
});

describe('JSON that is malformed', () => {
  it.each(['{"a":', '['.repeat(4_900), 'NaN', '{"a":NaN}', "{'a':1}", '\u0000', '{"a":1}}'])(
    '[F03] is 400 and not sent on (%#)',
    async (body) => {
      const before = app.sandbox.control.state().counters.apiCalls;
      const writer = await writingBrowser();
      const answer = await writer.browser.send('POST', '/api/debts', { headers: { 'content-type': 'application/json', 'x-csrf-token': writer.csrfToken }, body }); // prettier-ignore
      expect([answer.status, answer.json['error']]).toEqual([400, 'bad_request']);
      expect(writing.sandbox.control.state().counters.apiCalls).toBe(0);
      expect(app.sandbox.control.state().counters.apiCalls).toBe(before);
    },
  );

  let writing: TestApp;
  beforeAll(async () => {
    writing = await startTestApp({ env: { GETBILL_SCOPES: 'company:read debts:write' } });
  });
  afterAll(() => writing.close());
  async function writingBrowser(): Promise<{ browser: Browser; csrfToken: string }> {
    const writer = writing.browser();
    await writer.signIn();
    return { browser: writer, csrfToken: await writer.csrfToken() };
  }
});

describe('an error', () => {
  const CANARY = 'CANARY-7f3a';
  const faults: [string, number, () => Error][] = [
    [
      'of our own',
      500,
      () => Object.assign(new TypeError(`${CANARY} at /srv/app/src/x.ts`), { config: CANARY }),
    ],
    [
      'of Redis',
      503,
      () => new StorageError(new Error(`connect ECONNREFUSED ${CANARY}.internal:6379`)),
    ],
    ['of the upstream', 502, () => new UnavailableError(`${CANARY}.internal`, { code: 'getbill_unreachable', status: 502, hint: CANARY, cause: new Error(CANARY) })], // prettier-ignore
    ['with a status of its own', 500, () => Object.assign(new Error(CANARY), { status: 599, statusCode: 200, expose: true })], // prettier-ignore
    ['that is no error', 500, () => CANARY as unknown as Error],
  ];

  /** What the log says of the request whose number the visitor was shown. */
  function causeIn(log: string, requestId: string): unknown {
    const lines = log
      .split('\n')
      .filter((line) => line.includes(requestId) && line.includes('"request failed"'));
    expect(lines).toHaveLength(1);
    return JSON.parse(lines[0] ?? '');
  }

  it.each(['production', 'test', 'development'])(
    '[F04] shows its number and nothing internal, as a page and as JSON: NODE_ENV=%s',
    async (mode) => {
      let planted: unknown;
      const options = {
        wrap: (services: TestApp['services']) => ({
          ...services,
          // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- also what is no error
          quota: { ...services.quota, lastKnown: () => Promise.reject(planted) },
        }),
      };
      const running = mode === 'production' ? await startProduction(options) : await startTestApp({ ...options, env: { NODE_ENV: mode } }); // prettier-ignore
      const failing = 'app' in running ? running.app : running;
      try {
        const visitor = failing.browser();
        await visitor.signIn();
        for (const [name, status, make] of faults) {
          planted = make();
          for (const accept of ['text/html', 'application/json']) {
            const answer = await visitor.get('/connection', { accept });
            expect([name, answer.status]).toEqual([name, status]);
            expect(answer.text).toContain(answer.headers['x-request-id']);
            expect(answer.headers['content-type']).toMatch(accept);
            expect(causeIn(failing.logged(), String(answer.headers['x-request-id']))).toMatchObject(
              { status },
            );
            if (mode !== 'development') expect(answer.text).not.toContain(CANARY);
            expect(answer.text).not.toMatch(
              /\bat \/|\bat \w+ \(|node_modules|\.ts\b|\.js:\d|127\.0\.0\.1|ECONN/,
            );
          }
        }
        for (const [name] of faults)
          expect([name, failing.logged().includes(CANARY)]).toEqual([name, true]);
      } finally {
        await running.close();
      }
    },
  );

  it('[F04] about an unknown path does not repeat the path', async () => {
    for (const path of [
      '/nowhere-CANARY',
      '/nowhere/%3Cscript%3ECANARY',
      '/api/CANARY',
      '/debts/CANARY/x',
    ]) {
      const answer = await browser.get(path);
      expect(answer.status).toBe(404);
      expect(answer.text).not.toContain('CANARY');
    }
  });

  it('[F04] of the API never shows the words of GetBill to a person', async () => {
    app.sandbox.control.set({ api: [{ mode: 'status', status: 500, body: { error: true, message: 'CANARY at /var/www' }, times: 0 }] }); // prettier-ignore
    for (const path of ['/dashboard', '/debts', '/debts/x']) {
      const answer = await browser.get(path);
      expect([path, answer.text.includes('CANARY'), answer.status === 502 || path === '/dashboard']).toEqual([path, false, true]); // prettier-ignore
    }
  });
});

describe('data of the API', () => {
  const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(1)>' onfocus='x' {{7*7}} <%= 7*7 %>`;
  const LINK = 'javascript:alert(1)';
  /** The data of a successful answer, by the beginning of the path. */
  function answerWith(answers: Record<string, unknown>): void {
    const pagination = { page: 1, limit: 20, total: 1, pages: 1 };
    const api = Object.entries(answers).map(([path, data]) => {
      const body = JSON.stringify({ error: false, message: 'Success', data, pagination });
      return {
        mode: 'rawBody' as const,
        status: 200,
        contentType: 'application/json',
        body,
        path,
        times: 0,
      };
    });
    app.sandbox.control.set({ api });
  }

  function expectHarmless({ text, status }: Answer): void {
    expect(status).toBe(200);
    expect(text).not.toMatch(/<script>|<img src=x|\sonfocus='/);
    expect(text).not.toMatch(/(?:href|src|action|formaction)="\s*javascript:/i);
    const tags = (text.match(/<[a-z][^>]*>/gi) ?? []).map((tag) => tag.replaceAll(/"[^"]*"/g, ''));
    expect(tags.filter((tag) => /['"]|\son\w+\s*=/i.test(tag))).toEqual([]);
  }

  it('[F06] is text on the dashboard, whatever it holds', async () => {
    const other = app.browser();
    await other.signIn();
    answerWith({
      '/company/profile': {
        id: HOSTILE,
        name: HOSTILE,
        email: LINK,
        phone: HOSTILE,
        created_at: HOSTILE,
      },
    });
    const page = await other.get('/dashboard');
    expectHarmless(page);
    expect(page.text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page.text).toContain('{{7*7}} &lt;%= 7*7 %&gt;');
  });

  it('[F06] is text on the pages of debts, and links only to our own pages', async () => {
    const text = Object.fromEntries(['civility', 'firstname', 'lastname', 'debtor_company', 'email', 'phone', 'amount_text', 'currency', 'object', 'invoice_reference', 'invoice_date', 'due_date', 'status', 'website'].map((field) => [field, HOSTILE])); // prettier-ignore
    const debt = { ...text, id: LINK, amount: 1, followups_count: 1 };
    answerWith({ '/debts': [debt] });
    const list = await browser.get('/debts');
    expectHarmless(list);
    expect(list.text).not.toMatch(/href="[^"]*javascript/i); // an id that is none of GetBill's has no page
    const followup = { id: LINK, debt_id: 'x', status: HOSTILE, type: HOSTILE, call_date: HOSTILE, scheduled_at: HOSTILE, summary: HOSTILE, notes: LINK }; // prettier-ignore
    answerWith({ '/debts/x': { ...debt, notes: LINK }, '/followups': [followup] });
    expectHarmless(await browser.get('/debts/x'));
  });

  it('[F06] reaches no view as a setting, nor does the query', async () => {
    const plain = await browser.get('/debts');
    const query =
      'settings[view%20options][client]=1&settings[view%20options][escapeFunction]=1&cache=1&_locals[x]=1&layout=x&page=1';
    expect((await browser.get(`/debts?${query}`)).text.replaceAll(/value="[^"]*"/g, '')).toBe(plain.text.replaceAll(/value="[^"]*"/g, '')); // prettier-ignore
  });
});

describe('a method that a path does not have', () => {
  const pages = { '/': 'GET, HEAD', '/login': 'GET', '/oauth/callback': 'GET', '/dashboard': 'GET, HEAD', '/debts': 'GET, HEAD', '/debts/x': 'GET, HEAD', '/connection': 'GET, HEAD', '/logout': 'POST', '/session': 'GET' }; // prettier-ignore

  it.each(Object.entries(pages))('[F07] is 405 with the ones it has, and nothing of the request comes back: %s', async (path, allow) => {
    for (const method of ['TRACE', 'PROPFIND', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PURGE']) {
      const answer = await raw(method, path, [cookieLine(), 'X-Canary: CANARY', 'Max-Forwards: 0']);
      expect([method, answer.status, answer.headers.get('allow')]).toEqual([method, 405, allow]);
      expect(answer.body).not.toContain('CANARY');
    }
    expect(await isSignedIn(browser)).toBe(true);
  }); // prettier-ignore

  it.each(['/healthz', '/readyz'])('[F07] is 405 for a health check, too: %s', async (path) => {
    for (const method of ['TRACE', 'PUT', 'POST'])
      expect((await raw(method, path)).status).toBe(405);
  });

  it('[F07] is 404 on a path that does not exist', async () => {
    for (const method of ['TRACE', 'PROPFIND', 'PUT'])
      expect((await raw(method, '/nowhere')).status).toBe(404);
  });

  it('[F07] such as CONNECT ends the connection', async () => {
    const answer = await raw('CONNECT', 'evil.example:443');
    expect([answer.body, Number.isNaN(answer.status) || answer.status >= 400]).toEqual(['', true]);
  });

  it('[D03] [F07] cannot be put on by a header or a parameter', async () => {
    const before = await snapshot(site);
    for (const header of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
      expect((await browser.get(`/logout?_method=POST&_csrf=${encodeURIComponent(csrfToken)}`, { [header]: 'POST' })).status).toBe(405); // prettier-ignore
      expect((await browser.get('/?_method=DELETE', { [header]: 'DELETE' })).status).toBe(200);
    }
    expect(await snapshot(site)).toEqual(before);
  });

  it('[D03] of those that only read, none changes anything', async () => {
    const paths = [
      '/',
      '/connection',
      '/oauth/callback',
      '/logout',
      '/nowhere',
      '/healthz',
      '/assets/style.css',
    ];
    const before = await snapshot(site);
    for (const path of paths)
      for (const method of ['GET', 'HEAD', 'OPTIONS']) await browser.send(method, path);
    expect(await snapshot(site)).toEqual(before);
    expect(await isSignedIn(browser)).toBe(true);
  });
});

describe('a path that is not spelled as it should be', () => {
  const logouts = ['/LOGOUT', '/logout/', '//logout', '/logout;x', '/logout%2f', '/%6cogout', '/api/../logout', '/healthz/../logout', '/assets/../logout', '/assets/..%2flogout', '/oauth/callback/../../logout', '/oauth/callback%2f..%2flogout', '/./logout', '/logout?x=/oauth/callback', '/logout?x=/healthz', 'http://connect.example/logout', '\\logout']; // prettier-ignore

  it.each(logouts)('[D07] does not sign anybody out without the token: POST %s', async (target) => {
    for (const site of [[], ['Sec-Fetch-Site: cross-site']]) {
      const { status } = await raw('POST', target, [cookieLine(), 'Content-Length: 0', ...site]);
      expect([400, 403, 404, 405]).toContain(status);
    }
    expect(await isSignedIn(browser)).toBe(true);
  });

  it.each(['/.env', '/.git/config', '/package.json', '/dist/main.js', '/src/main.ts', '/views/layout.ejs', '/assets/.env', '/assets/..%2f..%2f.env', '/assets/%2e%2e/package.json', '/assets/../package.json', '/assets//etc/passwd', '/assets/..\\..\\package.json', '/assets/%5c..%5cpackage.json', '/assets/%00', '/assets/style.css%00.png', '/public/style.css', '/assets', '/assets/', '//etc/passwd', '/%', '/%ff', '/assets/%', '/debts/%ff', '/..;/package.json', '/debts/..%2f..%2fpackage.json'])(
    '[F08] shows no file and no folder: GET %s',
    async (target) => {
      for (const headers of [[], [cookieLine()]]) {
        const answer = await raw('GET', target, headers);
        const toSignIn = headers.length === 0 && target === '/debts/..%2f..%2fpackage.json'; // an id, as far as it goes
        expect(toSignIn ? [302] : [400, 404]).toContain(answer.status);
        expect(answer.body).not.toMatch(/getbill-connect|<ul id="files"|root:|import /);
      }
    },
  ); // prettier-ignore
});

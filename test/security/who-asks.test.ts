import { startTestApp, type TestApp } from '../support/test-app.js';
import type { Answer, Browser } from '../support/browser.js';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ env: { GETBILL_SCOPES: 'company:read debts:read debts:write' } });
});
afterAll(() => app.close());

type Headers = Record<string, string>;
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const debt = { firstname: 'A', lastname: 'B', amount: 1, currency: 'EUR', email: 'a@b.example' };

let current: { browser: Browser; token: string } | undefined;

/** The same session until it has been signed out. */
async function signedIn(): Promise<{ browser: Browser; token: string }> {
  if (current !== undefined) return current;
  const browser = app.browser();
  await browser.signIn();
  current = { browser, token: await browser.csrfToken() };
  return current;
}

/** Both unsafe requests that a page of ours can make, with the headers under test. */
async function attempts(headers: Headers, { withToken = true } = {}): Promise<[number, number]> {
  const { browser, token } = await signedIn();
  const csrf: Headers = withToken ? { 'x-csrf-token': token } : {};
  const write = await browser.send('POST', '/api/debts', {
    headers: { 'content-type': 'application/json', ...csrf, ...headers },
    body: JSON.stringify(debt),
  });
  const signOut = await browser.send('POST', '/logout', {
    headers: { ...form, ...headers },
    body: withToken ? new URLSearchParams({ _csrf: token }).toString() : '',
  });
  if (signOut.status === 303) current = undefined;
  return [write.status, signOut.status];
}

/** `ours` stands for the origin of PUBLIC_URL. */
const origins = {
  'not sent': undefined,
  empty: '',
  null: 'null',
  ours: 'ours',
  'ours in upper case': 'OURS',
  'ours with a path': 'ours/path',
  'of another site': 'https://evil.example',
  'of another scheme': 'moz-extension://5f0e1b',
  'of a file': 'file://',
  'ours and another': 'ours, https://evil.example',
} as const;
const sites = [
  undefined,
  '',
  'same-origin',
  'none',
  'same-site',
  'cross-site',
  'same-origin, cross-site',
];
const NOT_FOREIGN = {
  origins: [undefined, '', 'null', 'ours', 'OURS'],
  sites: [undefined, '', 'same-origin', 'none'],
};

const combinations = Object.entries(origins).flatMap(([name, origin]) =>
  sites.map((site) => {
    const accepted = NOT_FOREIGN.origins.includes(origin) && NOT_FOREIGN.sites.includes(site);
    return { name, origin, site, verdict: accepted ? 'the token decides' : 'refused' };
  }),
);

describe('an unsafe request', () => {
  it.each(combinations)(
    'with Origin $name and Sec-Fetch-Site $site: $verdict',
    async ({ origin, site, verdict }) => {
      const text = origin
        ?.replace('ours', app.publicUrl)
        .replace('OURS', app.publicUrl.toUpperCase());
      const headers = {
        ...(text !== undefined && { origin: text }),
        ...(site !== undefined && { 'sec-fetch-site': site }),
      };
      const [withToken, without] = [
        await attempts(headers),
        await attempts(headers, { withToken: false }),
      ];
      expect(withToken).toEqual(verdict === 'refused' ? [403, 403] : [201, 303]);
      expect(without).toEqual([403, 403]);
    },
  );
});

describe('whoever is not signed in', () => {
  const NAVIGATION = { accept: 'text/html', 'sec-fetch-mode': 'navigate' };

  it.each<[string, 'GET' | 'HEAD', Headers, number]>([
    ['a person who opens a page', 'GET', { ...NAVIGATION, 'sec-fetch-dest': 'document' }, 302],
    ['a browser that names no destination', 'GET', NAVIGATION, 302],
    ['a frame', 'GET', { ...NAVIGATION, 'sec-fetch-dest': 'iframe' }, 401],
    ['a script', 'GET', { accept: 'text/html', 'sec-fetch-mode': 'cors' }, 401],
    ['a check of a link', 'HEAD', { ...NAVIGATION, 'sec-fetch-dest': 'document' }, 401],
  ])('%s: %s is led to the sign-in, or told', async (_who, method, headers, status) => {
    const answer = await app.browser().send(method, '/dashboard', { headers });
    expect(answer.status).toBe(status);
  });
});

describe('a request for /login behind a proxy', () => {
  let proxied: TestApp;
  const publicUrl = 'http://localhost';
  beforeAll(async () => {
    proxied = await startTestApp({
      env: { PUBLIC_URL: publicUrl, TRUST_PROXY: '1' },
      sandbox: app.sandbox,
    });
  });
  afterAll(() => proxied.close());

  /** Follows redirects to ourselves as a browser would, through a proxy that sends the same headers each time. */
  async function follow(
    headers: Headers,
    target = proxied,
  ): Promise<{ hops: number; answer: Answer }> {
    const browser = target.browser();
    let path = '/login?returnTo=%2Fdebts';
    for (let hops = 0; hops < 5; hops += 1) {
      const answer = await browser.get(path, headers);
      const location = new URL(answer.location ?? 'none:', 'http://localhost');
      if (location.pathname !== '/login') return { hops, answer };
      path = location.pathname + location.search;
    }
    throw new Error('a loop');
  }

  it.each<[string, Headers]>([
    ['as the browser writes it', { host: 'localhost' }],
    ['with the port of the scheme', { host: 'localhost:80' }],
    ['in upper case', { host: 'LOCALHOST' }],
    ['in upper case with the port of the scheme', { host: 'LocalHost:80' }],
    ['in X-Forwarded-Host', { host: 'app.internal:3000', 'x-forwarded-host': 'localhost' }],
    [
      'in the first X-Forwarded-Host',
      { host: 'app.internal', 'x-forwarded-host': 'LOCALHOST:80, cdn.example' },
    ],
    [
      'while X-Forwarded-Host holds something else',
      { host: 'localhost', 'x-forwarded-host': 'app.internal' },
    ],
  ])('starts a sign-in at once where the proxy sends our host %s', async (_name, headers) => {
    const { hops, answer } = await follow(headers);
    expect([hops, answer.status]).toEqual([0, 302]);
    expect(answer.location).toContain(`${proxied.sandbox.origin}/oauth/authorize`);
  });

  it('starts a sign-in after one redirect where the proxy sends our host with a dot at its end', async () => {
    const { hops, answer } = await follow({ host: 'localhost.' });
    expect([hops, answer.location]).toEqual([1, expect.stringContaining('/oauth/authorize')]);
  });

  it('puts the port together from X-Forwarded-Port', async () => {
    const env = { PUBLIC_URL: 'http://localhost:8080', TRUST_PROXY: '1' };
    const onPort = await startTestApp({ env, sandbox: app.sandbox });
    const { hops, answer } = await follow(
      { host: 'localhost', 'x-forwarded-port': '8080' },
      onPort,
    );
    await onPort.close();
    expect([hops, answer.location]).toEqual([0, expect.stringContaining('/oauth/authorize')]);
  });

  it.each<[string, Headers, string]>([
    ['its own name', { host: 'app.internal:3000' }, 'http://app.internal:3000'],
    ['another port', { host: 'localhost:8443' }, 'http://localhost:8443'],
    [
      'our host as part of another',
      { host: 'localhost.evil.example' },
      'http://localhost.evil.example',
    ],
    [
      'its own name twice',
      { host: 'a.internal', 'x-forwarded-host': 'b.internal' },
      'http://a.internal and http://b.internal',
    ],
    ['something that is no host', { host: 'app internal' }, 'no usable Host'],
  ])(
    'ends on one page and in one log line that says what to set, where the proxy sends %s',
    async (_name, headers, received) => {
      const before = proxied.logged().length;
      const { hops, answer } = await follow(headers);
      expect([hops, answer.status]).toEqual([1, 500]);
      expect(answer.text).toContain('This app is not set up correctly');
      expect(answer.text).not.toMatch(/internal|8443|evil/);
      const lines = proxied
        .logged()
        .slice(before)
        .split('\n')
        .filter((line) => line.includes('origin_mismatch'));
      const [{ hint = '' } = {}] = lines.map((line) => JSON.parse(line) as { hint?: string });
      expect(lines).toHaveLength(1);
      expect(hint).toContain(`expected ${publicUrl} (PUBLIC_URL), received ${received}:`);
      expect(hint).toContain('proxy_set_header Host $http_host');
    },
  );

  it.each<[string, string, Headers]>([
    ['Host', 'http://localhost', { host: 'app.internal', 'x-forwarded-host': 'localhost' }],
    ['Port', 'http://localhost:8080', { host: 'localhost', 'x-forwarded-port': '8080' }],
  ])(
    'does not believe X-Forwarded-%s of a proxy that TRUST_PROXY does not name',
    async (_name, url, headers) => {
      const env = { PUBLIC_URL: url };
      const distrustful = await startTestApp({ env, sandbox: app.sandbox });
      const { answer } = await follow(headers, distrustful);
      await distrustful.close();
      expect(answer.status).toBe(500);
    },
  );
});

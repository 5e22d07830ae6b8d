import type { ApiFault } from '../../sandbox/faults.js';
import { RequestError, StorageError } from '../../src/errors.js';
import type { Browser } from '../support/browser.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

let app: TestApp;
let browser: Browser;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());
beforeEach(async () => {
  app.sandbox.control.reset();
  app.clock.skipMs(120_000);
  browser = app.browser();
  await browser.signIn();
});

const CAUSES: readonly (readonly [ApiFault, string])[] = [
  [{ mode: 'drop' }, 'GetBill cannot be reached right now'],
  [{ mode: 'hang' }, 'GetBill cannot be reached right now'],
  [{ mode: 'status', status: 500 }, 'GetBill has a problem'],
  [{ mode: 'html', status: 503 }, 'GetBill has a problem'],
  [{ mode: 'errorIn200', code: 503 }, 'GetBill has a problem'],
  [{ mode: 'html', status: 200 }, 'GetBill gave an unexpected response'],
  [
    { mode: 'redirect', status: 302, location: 'http://localhost/' },
    'GetBill gave an unexpected response',
  ],
];

it.each(CAUSES)('%j says what it is', async (fault, title) => {
  app.sandbox.control.set({ api: [{ ...fault, path: '/debts', times: 0 }] });
  const [debt, list] = await Promise.all([browser.get('/debts/d1'), browser.get('/debts')]);
  expect(debt.text).toContain(`<h1>${title}</h1>`);
  expect(list.text).toContain(`<h2 id="failure">${title}</h2>`);
});

it.each([
  ['a debt', '/debts/d1', 'h1'],
  ['the box of a list', '/debts', 'h2'],
])(
  '%s that knows when it can be tried again does so, with and without scripts',
  async (_name, path, heading) => {
    app.sandbox.control.expireAccessTokens();
    app.sandbox.control.set({ token: [{ mode: 'status', status: 503, times: 0 }] });
    await browser.get(path);
    const { status, headers, text } = await browser.get(path);
    expect(status).toBe(503);
    expect(text).toMatch(new RegExp(`<${heading}[^>]*>GetBill has a problem<`));
    const wait = String(headers['retry-after']);
    expect(text).toContain(`<noscript><meta http-equiv="refresh" content="${wait}"></noscript>`);
    // no live region: each second would be read aloud
    expect(text).toMatch(new RegExp(`<p>Trying again <time [^>]*data-reload>in ${wait} s</time>`));
    expect(text).toContain('<a class="button primary" href="">Try again now</a>');
  },
);

describe('while the sessions cannot be read', () => {
  let read: jest.SpyInstance;
  beforeEach(() => {
    const away = new StorageError(new Error('away'));
    read = jest.spyOn(app.services.sessions, 'read').mockRejectedValue(away);
  });
  afterEach(() => read.mockRestore());

  it.each(['/dashboard', '/debts?status=paid', '/debts/d1', '/connection', '/'])(
    '%s tries again after a second, with and without scripts',
    async (path) => {
      const { status, headers, text } = await browser.get(path);
      expect([status, headers['retry-after']]).toEqual([503, '1']);
      expect(text).toContain('<noscript><meta http-equiv="refresh" content="1"></noscript>');
      expect(text).toContain('<script src="/assets/live.js" defer></script>');
      expect(text).toMatch(/Trying again <time [^>]*data-reload>in 1 s<\/time>/);
      expect(text).toContain('href="">Try again now</a>');
    },
  );

  it.each(['/login', '/oauth/callback?code=a&state=b'])('%s does not', async (path) => {
    const { status, text } = await browser.get(path);
    expect(status).toBe(503);
    expect(text).not.toContain('http-equiv="refresh"');
    expect(text).not.toContain('>Try again');
  });

  it('a form that was sent does not, nor does it offer its address, which no link can open', async () => {
    const { status, text } = await browser.send('POST', '/logout');
    expect(status).toBe(503);
    expect(text).not.toContain('http-equiv="refresh"');
    expect(text).not.toContain('>Try again');
  });
});

it('a debt that GetBill does not have is called so, and the list is a click away', async () => {
  const { status, text } = await browser.get('/debts/nobodys');
  expect([status, text]).toEqual([404, expect.stringContaining('<h1>There is no such debt</h1>')]);
  expect(text).toContain('<a class="button primary" href="/debts">');
});

it('nobody is told to be signed in still whose sign-in has failed', async () => {
  const stranger = app.browser();
  const path = await stranger.approve(await stranger.startLogin());
  app.sandbox.control.set({ token: [{ mode: 'status', status: 503, times: 0 }] });
  const { status, text } = await stranger.get(path);
  expect([status, text]).toEqual([502, expect.stringContaining('<h1>GetBill has a problem</h1>')]);
  expect(text).toContain('Please sign in again in a moment.');
  expect(text).not.toContain('still signed in');
});

it('a look-up by id goes to the debt, and to a click when the session has ended', async () => {
  expect((await browser.get('/debts?id=%20abc_-1%20')).location).toBe('/debts/abc_-1');
  const refused = (await browser.get('/debts?id=a/b')).text;
  expect(refused).toContain('is not an id of GetBill’s');
  expect(refused).toMatch(
    /<input id="id" [^>]*value="a\/b" aria-invalid="true" aria-describedby="bad"/,
  ); // to be mended, not typed anew
  const { status, text } = await app.browser().get('/debts?id=abc');
  expect(status).toBe(401);
  expect(text).toContain('href="/login?returnTo=%2Fdebts%2Fabc"');
  const odd = await app.browser().get('/debts?id=%3Cscript%3Ealert(1)');
  expect(odd.text).toContain('href="/login?returnTo=%2Fdashboard"');
});

it('an error that is about all of a page takes the page, whichever page it is', async () => {
  app.sandbox.control.revokeGrants();
  expect((await browser.get('/debts')).location).toBe('/login?returnTo=%2Fdebts');
});

it('a token that is due and cannot be renewed is an error page before the list is asked for', async () => {
  app.sandbox.control.set({ accessTokenLifetimeS: 90 });
  browser = app.browser();
  await browser.signIn();
  app.sandbox.control.set({ token: [{ mode: 'status', status: 503, times: 0 }] });
  app.clock.skipMs(100_000);
  const { status, text } = await browser.get('/debts');
  expect(status).toBe(503);
  expect(text).toContain('<h1>GetBill has a problem</h1>');
  expect(text).toContain('data-reload>');
});

describe('a sign-in that GetBill refused', () => {
  const SIGN_OUT = '<form method="post" action="/logout">';
  async function refused(visitor: Browser): Promise<string> {
    app.sandbox.control.set({ consent: 'ask' });
    const start = (await visitor.get('/login?again=1')).location ?? '';
    return (await visitor.get(await visitor.approve(start, { decision: 'deny' }))).text;
  }

  it('leaves the links of every page to the one who is still signed in', async () => {
    const text = await refused(browser);
    for (const link of ['<a href="/dashboard">', '<a href="/debts">', SIGN_OUT])
      expect(text).toContain(link);
  });

  it('shows a stranger no page that needs a sign-in', async () => {
    const text = await refused(app.browser());
    expect(text).toContain('<h1>You did not give access</h1>');
    for (const link of ['href="/dashboard"', SIGN_OUT]) expect(text).not.toContain(link);
  });
});

it('the number of a request can be copied wherever it is all that a visitor can do', async () => {
  const read = jest.spyOn(app.services.sessions, 'read');
  read.mockRejectedValue(new RequestError('plain http', { code: 'insecure_request', status: 500 }));
  const { text } = await browser.get('/dashboard');
  read.mockRestore();
  expect(text).toContain('data-copy=');
  expect(text).toContain('<script src="/assets/live.js" defer></script>');
});

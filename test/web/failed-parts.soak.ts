import type { ApiFault } from '../../sandbox/faults.js';
import type { Browser } from '../support/browser.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

let app: TestApp;
let browser: Browser;
beforeAll(async () => {
  app = await startTestApp({ env: { GETBILL_TIMEOUT_MS: '1000' } });
});
afterAll(() => app.close());
afterEach(() => app.sandbox.control.reset());

/** Later, when the share of GetBill's limit is whole again. */
async function signIn(): Promise<void> {
  app.clock.skipMs(3_700_000);
  browser = app.browser();
  await browser.signIn();
}

const body = (text: string): ApiFault => ({
  mode: 'rawBody',
  status: 200,
  contentType: 'application/json',
  body: text,
});

const REFUSED = 'GetBill did not accept this request';
const PROBLEM = 'GetBill has a problem';
const UNREACHABLE = 'GetBill cannot be reached right now';
const UNEXPECTED = 'GetBill gave an unexpected response';

/** How a part fails, what the page says of it, and the status of a page that is nothing without the part. */
const failing: readonly (readonly [string, { fault: ApiFault; title: string; status: number }])[] =
  [
    ['400', { fault: { mode: 'status', status: 400 }, title: REFUSED, status: 400 }],
    ['401, also with a new token', { fault: { mode: 'unauthorized' }, title: UNEXPECTED, status: 502 }],
    ['404', { fault: { mode: 'status', status: 404 }, title: UNEXPECTED, status: 502 }],
    ['422', { fault: { mode: 'status', status: 422 }, title: REFUSED, status: 422 }],
    ['429', { fault: { mode: 'rateLimited', retryAfterS: 1 }, title: 'GetBill’s hourly limit is used up', status: 429 }],
    ['500', { fault: { mode: 'status', status: 500 }, title: PROBLEM, status: 502 }],
    ['502', { fault: { mode: 'status', status: 502 }, title: PROBLEM, status: 502 }],
    ['503', { fault: { mode: 'html', status: 503 }, title: PROBLEM, status: 502 }],
    ['504', { fault: { mode: 'status', status: 504 }, title: PROBLEM, status: 502 }],
    ['an error in a 200', { fault: { mode: 'errorIn200', code: 503 }, title: PROBLEM, status: 502 }],
    ['an HTML page', { fault: { mode: 'html', status: 200 }, title: UNEXPECTED, status: 502 }],
    ['the 403 of a firewall', { fault: { mode: 'html', status: 403 }, title: UNEXPECTED, status: 502 }],
    ['a list without end', { fault: { mode: 'huge', bytes: 2 * 1024 * 1024 }, title: UNEXPECTED, status: 502 }],
    ['a redirect', { fault: { mode: 'redirect', status: 302, location: 'http://localhost/' }, title: UNEXPECTED, status: 502 }],
    ['broken JSON', { fault: body('{"data":['), title: UNEXPECTED, status: 502 }],
    ['a list that is none', { fault: body('{"data":7}'), title: UNEXPECTED, status: 502 }],
    ['a refused connection', { fault: { mode: 'drop' }, title: UNREACHABLE, status: 502 }],
    ['a connection cut in the middle', { fault: { mode: 'cut', afterBytes: 20 }, title: UNREACHABLE, status: 502 }],
    ['no response', { fault: { mode: 'hang' }, title: UNREACHABLE, status: 504 }],
  ]; // prettier-ignore

describe.each(failing)(
  'when one part of a page meets %s',
  (_name, { fault, title, status: expected }) => {
    beforeAll(async () => {
      await signIn();
      await browser.get('/dashboard'); // the figures are kept for five minutes
      app.clock.skipMs(61_000);
    });
    afterEach(() => app.clock.skipMs(61_000)); // no pause and no cached profile is left

    it('the debt is shown, and one box says that the follow-ups are missing', async () => {
      const [id = ''] =
        /\/debts\/([\w-]{10,})/.exec((await browser.get('/debts')).text)?.slice(1) ?? [];
      app.sandbox.control.set({ api: [{ ...fault, path: '/followups', times: 0 }] });
      const { status, text } = await browser.get(`/debts/${id}`);
      expect(status).toBe(200);
      expect(text).toContain('<dt>Debt id</dt>');
      expect(text).toMatch(
        /The follow-ups cannot be shown right now\.<\/strong>[^<]*<a href="">Try again/,
      );
      app.sandbox.control.reset();
      app.clock.skipMs(2_000);
      expect((await browser.get(`/debts/${id}`)).text).not.toContain('right now');
    });

    it('the dashboard stands, and one box says that the company is missing', async () => {
      app.sandbox.control.set({ api: [{ ...fault, path: '/company', times: 0 }] });
      const { status, text } = await browser.get('/dashboard');
      expect(status).toBe(expected); // for machines
      expect(text).toMatch(
        /Your company cannot be shown right now\.<\/strong>[^<]*<a href="">Try again/,
      );
      expect(text).toContain('<h2 id="connection">Connection</h2>');
      expect(text).toMatch(/<strong>[\d,]+<\/strong> <a href="\/debts">debts<\/a>/);
      expect(text).toContain('See your debts');
    });

    it('the page of the debts stands, and one box says what is wrong with the list', async () => {
      app.sandbox.control.set({ api: [{ ...fault, path: '/debts', times: 0 }] });
      const before = app.logged().length;
      const { status, text, headers } = await browser.get(
        '/debts?status=status.default.paid&id=a/b',
      );
      expect(status).toBe(expected);
      expectDebtsPage(text);
      expect(text).toContain('Status: <bdi>Paid</bdi>');
      expect(text).toContain('is not an id of GetBill’s');
      expect(text).toContain(`<h2 id="failure">${title}</h2>`);
      expect(text.match(/<dt>What to do<\/dt>/g)).toHaveLength(1);
      const requestId = String(headers['x-request-id']);
      expect(text).toContain(`<code>${requestId}</code>`);
      const lines = app.logged().slice(before).split('\n').filter((line) => line.includes('"request failed"')); // prettier-ignore
      expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
        { requestId, status: expected, path: '/debts' },
      ]);
      app.sandbox.control.reset();
      app.clock.skipMs(2_000);
      expect((await browser.get('/debts')).text).not.toContain('cannot be shown');
    });
  },
);

function expectDebtsPage(text: string): void {
  expect(text.match(/<h1>[^<]*<\/h1>/g)).toEqual(['<h1>Debts</h1>']);
  expect(text).toContain('<title>Debts: Paid · GetBill Connect</title>');
  expect(text).toContain('<nav aria-label="Main">');
  expect(text).toContain('href="/connection"');
  expect(text).toContain('<nav aria-label="Status">');
  expect(text).toContain('<form class="lookup"');
}

it('a 403 of GetBill itself is a permission that was not given, and is no error', async () => {
  await signIn();
  app.sandbox.control.set({ api: [{ mode: 'status', status: 403, path: '/debts', times: 0 }] });
  const { status, text } = await browser.get('/debts');
  expect(status).toBe(200);
  expect(text).toContain('<h1>Debts</h1>');
  expect(text).toContain('<nav aria-label="Main">');
  expect(text).toContain('Not shared with this app.');
});

it('a 403 that names no scope costs its part alone: nothing is withheld from then on', async () => {
  await signIn();
  const denied = { error: true, message: 'Access denied to this debt', code: 403 };
  const fault = { mode: 'status', status: 403, path: '/debts', body: denied } as const;
  app.sandbox.control.set({ api: [{ ...fault, times: 0 }] });
  await browser.get('/debts');
  app.sandbox.control.reset();
  expect((await browser.get('/api/debts')).status).toBe(200);
  expect((await browser.get('/debts')).text).not.toContain('Not shared with this app.');
});

it.each([
  ['denied', 'Access denied to this debt', false],
  ['without a permission', 'Required scope "debts:read" not found in token', true],
])('a debt that is %s says so, and not the other', async (_what, message, isPermission) => {
  await signIn();
  const body = { error: true, message, code: 403 };
  app.sandbox.control.set({
    api: [{ mode: 'status', status: 403, path: '/debts', body, times: 0 }],
  });
  const { status, text } = await browser.get('/debts/d1');
  expect(status).toBe(403);
  expect(text.includes('a permission you did not give')).toBe(isPermission);
  expect(text.includes('not yours to see')).toBe(!isPermission);
});

it.each([
  ['in other quotes', { message: "Required scope 'debts:read' not found in token" }, true],
  ['without quotes', { message: 'The token lacks the scope debts:read.' }, true],
  ['by the code of RFC 6750', { error: 'insufficient_scope' }, true],
  ['as another one', { message: 'Required scope "debts:read:all" not found in token' }, false],
  ['as no scope', { message: 'Access denied to debts:read' }, false],
])(
  'a permission that is missing is told from another refusal when GetBill names it %s',
  async (_what, said, isMissing) => {
    await signIn();
    const body = { error: true, code: 403, ...said };
    app.sandbox.control.set({
      api: [{ mode: 'status', status: 403, path: '/debts', body, times: 1 }],
    });
    await browser.get('/debts');
    const { scopes } = (await browser.get('/session')).json;
    expect((scopes as string[]).includes('debts:read')).toBe(!isMissing);
  },
);

it.each([
  ['insufficient_scope', false],
  ['invalid_request', true],
])(
  'a permission is missing when the header of a 403 says %s, or it is not',
  async (error, stays) => {
    await signIn();
    const headers = {
      'www-authenticate': `Bearer realm="x", error="${error}", scope="debts:read"`,
    };
    const fault = {
      mode: 'rawBody',
      status: 403,
      body: '',
      contentType: '',
      path: '/debts',
    } as const;
    app.sandbox.control.set({ api: [{ ...fault, headers, times: 1 }] });
    await browser.get('/debts');
    const { scopes } = (await browser.get('/session')).json;
    expect((scopes as string[]).includes('debts:read')).toBe(stays);
  },
);

it('a script that asks for the page gets the error as JSON', async () => {
  await signIn();
  app.sandbox.control.set({ api: [{ mode: 'drop', path: '/debts', times: 0 }] });
  const { status, json } = await browser.get('/debts', { accept: 'application/json' });
  expect(status).toBe(502);
  expect(json).toMatchObject({ error: 'getbill_unreachable' });
});

it('the dashboard stands when all its parts fail, and each has its box', async () => {
  app.sandbox.control.set({ api: [{ mode: 'status', status: 500, times: 0 }] });
  await signIn();
  const { status, text } = await browser.get('/dashboard');
  expect(status).toBe(502);
  for (const part of ['Your company', 'Your credits', 'Your debts'])
    expect(text).toContain(`<strong>${part} cannot be shown right now.</strong> ${PROBLEM}.`);
  expect(text).toContain('<h1>Dashboard</h1>');
  expect(text).toContain('<h2 id="connection">Connection</h2>');
});

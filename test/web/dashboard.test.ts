import type { ApiFault } from '../../sandbox/faults.js';
import { UnavailableError } from '../../src/errors.js';
import { createDebtFigures } from '../../src/getbill/debt-figures.js';
import { overviewView } from '../../src/web/pages/dashboard.js';
import { UNKNOWN_READER } from '../support/reader.js';
import { statuses } from '../../src/web/pages/statuses.js';
import type { Browser } from '../support/browser.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const FIVE_MINUTES = 300_001;

let app: TestApp;
let browser: Browser;
/** Queries of calls that fail, as GetBill's server would. */
const failing = new Set<string>();
/** What GetBill's limit leaves; `undefined`: as the sandbox says. */
let left: number | undefined;

beforeAll(async () => {
  app = await startTestApp({
    env: { GETBILL_TIMEOUT_MS: '10000' }, // the first call waits for the sandbox's data
    wrap(services) {
      const { forward, quota, limits, facts, now } = services;
      const lastKnown = async (limitClass: 'read' | 'write') =>
        left === undefined
          ? await quota.lastKnown(limitClass)
          : { left, limit: 1000, resetsAt: new Date(now() + 600_000) };
      return {
        ...services,
        figures: createDebtFigures({
          quota: { lastKnown, limit: (limitClass) => quota.limit(limitClass) },
          limits,
          facts,
          now,
        }),
        forward: (call, access) => {
          const status = new URLSearchParams(call.query).get('status') ?? '';
          if (failing.has(status)) throw new UnavailableError('no', { status: 502 });
          return forward(call, access);
        },
      };
    },
  });
});
afterAll(() => app.close());
beforeEach(async () => {
  app.sandbox.control.reset();
  failing.clear();
  left = undefined;
  app.clock.skipMs(3_700_000); // GetBill's limit and the company's share are full again
  browser = app.browser();
  await browser.signIn();
});

const text = async (): Promise<string> => (await browser.get('/dashboard')).text;
const segments = (page: string): number => page.match(/<rect /g)?.length ?? 0;
const debtCalls = (): number => app.sandbox.control.state().counters.apiByPath['/debts'] ?? 0;

it('one look says how many debts there are, how many open and overdue, and what came last', async () => {
  const page = await text();
  expect(page).toMatch(/<strong>1,247<\/strong> <a href="\/debts">debts<\/a>/);
  expect(page).toMatch(/<strong>9\d\d<\/strong> open/);
  expect(page).toMatch(/<strong>\d+\+<\/strong> overdue\s*<span class="quiet">among the 147/);
  expect(page).toMatch(/<dt>Credits<\/dt><dd>847<\/dd>/);
  expect(page.match(/class="who"/g)).toHaveLength(5);
  expect(page).toMatch(/Connected · 3 permissions · Not renewed so far/);
});

it('the bar is as wide as its segments, each a link to its list and again in the legend', async () => {
  const page = await text();
  const hrefs = [...page.matchAll(/<a href="([^"]+)" tabindex="-1"><rect/g)].map(
    ([, href]) => href,
  );
  expect(hrefs).toHaveLength(12);
  for (const href of hrefs)
    expect(page).toContain(`<li><a href="${href ?? ''}"><span class="swatch`);
  const ends = [...page.matchAll(/x="([\d.]+)" y="0" width="([\d.]+)"/g)].map(
    ([, x, width]) => Number(x) + Number(width),
  );
  expect(Math.max(...ends)).toBeGreaterThan(995);
  expect(Math.max(...ends)).toBeLessThan(1001);
  for (const href of hrefs.slice(0, 2)) expect((await browser.get(href ?? '')).status).toBe(200);
});

describe('a part that fails costs itself alone', () => {
  const always = (path: string): ApiFault => ({ mode: 'status', status: 500, path, times: 0 });
  const PARTS = [
    ['/company/profile', 'Your company cannot be shown right now.'],
    ['/company/credits', 'Your credits cannot be shown right now.'],
    ['/debts', 'Your debts cannot be shown right now.'],
    ['/followups', 'The last follow-ups cannot be shown right now.'],
  ] as const;

  it.each(PARTS)('%s', async (path, says) => {
    app.sandbox.control.set({ api: [always(path)] });
    const page = await text();
    const boxes = page.match(/cannot be shown right now/g) ?? [];
    expect([boxes.length, page.includes(says)]).toEqual([1, true]);
    expect(page).toContain('Look into the connection');
    if (path !== '/company/profile') expect(page).toContain('Example Collections LLC');
    if (path !== '/debts') expect(segments(page)).toBe(12);
  });

  it.each(statuses)('the count of $value', async ({ value, label }) => {
    failing.add(value);
    const page = await text();
    expect(segments(page)).toBe(11);
    expect(page).toContain('1 status could not be counted right now.');
    expect(page).not.toContain(`<bdi>${label}</bdi> <strong>`);
    failing.clear();
    expect(segments(await text())).toBe(12); // it is counted again at once
  });

  it('all counts together: the bar is one box, and what is known of the list stands', async () => {
    for (const { value } of statuses) failing.add(value);
    failing.add('status.custom.legal_action');
    const page = await text();
    expect(page).toContain('The debts by status cannot be shown right now.');
    expect(page).toMatch(/<strong>1,247<\/strong>/);
    expect(page).toMatch(/<strong>\d+\+<\/strong> open\s*<span class="quiet">among the 147/);
  });
});

describe('figures of GetBill’s that contradict each other', () => {
  const debts = (status: string, total: number): ApiFault => ({
    mode: 'rawBody',
    status: 200,
    contentType: 'application/json',
    body: JSON.stringify({
      error: false,
      data: [{ id: 'a', status, due_date: '2020-01-01' }],
      pagination: { total, page: 1, limit: 100, pages: 1 },
    }),
    path: '/debts',
    times: 0,
  });

  it('are not counted where the filter was ignored: no status has more debts than there are', async () => {
    app.sandbox.control.set({ api: [debts('status.custom.elsewhere', 1247)] });
    const page = await text();
    expect(page).toContain('The debts by status cannot be shown right now.');
    expect(page).toMatch(/<strong>1\+<\/strong> open/);
  });

  it('of open debts are never fewer than were seen, and of all never fewer than came', async () => {
    app.sandbox.control.set({ api: [debts('status.default.pending', 0)] });
    expect(await text()).toMatch(
      /<strong>1<\/strong> <a href="\/debts">debt<[\s\S]*<strong>1<\/strong> open/,
    );
    const overview = { total: 10, looked: 1, newest: [], open: 1, overdue: 1, ownStatuses: [], counts: undefined }; // prettier-ignore
    const counts = new Map(statuses.map(({ value }) => [value, 9]));
    const { figures } = overviewView({ value: overview, readAtMs: 0 }, counts, UNKNOWN_READER);
    expect(figures.map((figure) => figure.text)).toEqual(['10', '1', '1+']);
  });
});

describe('GetBill’s quota is spared', () => {
  it('by counting once in five minutes', async () => {
    await text();
    const before = debtCalls();
    await text();
    app.clock.skipMs(120_000);
    await text();
    expect(debtCalls()).toBe(before);
    app.clock.skipMs(FIVE_MINUTES);
    await text();
    expect(debtCalls()).toBeGreaterThan(before);
  });

  it('by ten tabs that open at once, too', async () => {
    await text();
    const alone = debtCalls();
    const other = app.browser();
    await other.signIn();
    const before = debtCalls();
    await Promise.all(Array.from({ length: 10 }, () => other.get('/dashboard')));
    expect(debtCalls() - before).toBeLessThanOrEqual(alone);
  });

  it('when little is left: no counts, and the page says so', async () => {
    left = 90;
    const page = await text();
    expect(page).toMatch(/<strong>1,247<\/strong>/);
    expect(page).toMatch(
      /The debts by status cannot be shown right now\.[^<]*<\/strong>[^<]*kept for the pages you open/,
    );
    expect(segments(page)).toBe(0);
    expect(page).toContain('There will be more in 10 minutes.</p>'); // nothing to click until then
  });

  it('by counting a few times an hour for one company, however many people look', async () => {
    const people = Array.from({ length: 12 }, () => app.browser());
    for (const person of people) await person.signIn();
    const before = debtCalls();
    const pages: string[] = [];
    for (const person of people) pages.push((await person.get('/dashboard')).text);
    expect(debtCalls() - before).toBeLessThan(140);
    expect(pages[0]).toContain('<rect ');
    expect(pages.at(-1)).toMatch(
      /<strong>1,247<\/strong>[\s\S]*The debts by status cannot be shown right now/,
    );
    expect((await people[0]?.get('/debts'))?.status).toBe(200);
  });

  it('with one read left the company is shown, and figures that were read before with their time', async () => {
    left = 1;
    const first = await text();
    expect(first).toContain('Example Collections LLC');
    expect(first).toContain('Your debts cannot be shown right now.');
    left = undefined;
    await text();
    left = 1;
    app.clock.skipMs(FIVE_MINUTES);
    const later = await text();
    expect(later).toMatch(/<strong>1,247<\/strong>/);
    expect(segments(later)).toBe(12);
    expect(later).toMatch(
      /as of <time[^>]*>[\d:]+ UTC<\/time> <span class="stale">\(What is left of GetBill’s hourly limit/,
    );
  });
});

it('figures are forgotten at sign-out', async () => {
  await text();
  const before = debtCalls();
  await browser.signOut();
  await browser.signIn();
  await text();
  expect(debtCalls()).toBeGreaterThan(before);
});

it('numbers and dates follow Accept-Language, with Western digits between English words', async () => {
  const inLanguage = async (language: string) =>
    (await browser.get('/dashboard', { 'accept-language': language })).text;
  expect(await inLanguage('de-DE,de;q=0.9')).toMatch(
    /<strong>1\.247<\/strong>[\s\S]*15\.01\.2023|15\.01\.2023[\s\S]*<strong>1\.247<\/strong>/,
  );
  expect(await inLanguage('fr-FR')).toMatch(/15 janv\. 2023/);
  expect(await inLanguage('ar-EG')).toMatch(/<time datetime="2023-01-15" dir="auto">[^<]*2023/);
  for (const odd of [
    '*',
    'xx-YY',
    'en-u-nu-arab',
    'x'.repeat(5_000),
    'de-DE-u-ca-buddhist',
    ';;q=',
    'constructor',
  ])
    expect((await inLanguage(odd)).match(/1[.,]247/g)).toHaveLength(1);
});

import type { Browser, Page, Request } from 'playwright-core';
import { companyProfiles } from '../../sandbox/api/data/companies.js';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import { expectOrder } from '../flow/support/order.js';
import { launchChromium } from '../support/chromium.js';
import { freePort } from '../support/free-port.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const secret = 'the-webhook-secret-of-this-test';
const companyId = companyProfiles[0].id;
let app: TestApp;
let sandbox: Sandbox;
let chromium: Browser;
beforeAll(async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/webhooks/getbill`;
  sandbox = await startSandbox({
    webhook: { url, secret, companyId },
    faults: { consent: 'auto' },
  });
  const webhooks = { GETBILL_WEBHOOK_SECRET: secret, GETBILL_WEBHOOK_COMPANY: companyId };
  const env = { FLOW_INSPECTOR: 'true', ...webhooks };
  [app, chromium] = await Promise.all([startTestApp({ sandbox, port, env }), launchChromium()]);
}, 30_000);
afterAll(async () => {
  await expectOrder(chromium.contexts(), app);
  await chromium.close();
  await app.close();
  await sandbox.close();
});

let changes = 0;
/** As GetBill's own pages would: nothing of it goes through the app. */
async function changeDebtAtGetbill(id: string): Promise<void> {
  const token = await fetch(`${sandbox.origin}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'sandbox-client',
      client_secret: 'sandbox-secret-7c1f0e5ad2b94c36',
      scope: 'debts:write',
    }),
  });
  const { access_token: accessToken } = (await token.json()) as { access_token: string };
  const response = await fetch(`${sandbox.origin}/external-api/v1/debts/${id}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ object: `CANARY object ${(changes += 1)}` }),
  });
  expect(response.status).toBe(200);
}

const reads = (): number =>
  sandbox.control.requests().filter(({ method, url }) => method === 'GET' && url.includes('/debts'))
    .length;

async function openDebts(
  path = '/debts',
): Promise<{ page: Page; id: string; complaints: string[] }> {
  const page = await (await chromium.newContext()).newPage();
  page.setDefaultTimeout(8_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  const live = page.waitForResponse(/events\/live/);
  await page.goto(`${app.publicUrl}/login?returnTo=%2Fdashboard`);
  await live;
  const opened = page.waitForResponse(/events\/live/);
  await page.goto(app.publicUrl + path);
  await opened;
  const href = await page.locator('main table a[href^="/debts/"]').first().getAttribute('href');
  return { page, id: href?.split(/[/?]/)[2] ?? '', complaints };
}

it('an open list says within a second that a debt has changed, and reading it again is one API call', async () => {
  const { page, id, complaints } = await openDebts();
  const before = reads();
  await changeDebtAtGetbill(id);
  const changedAtMs = performance.now();
  await page.getByRole('status').getByText('changed just now').waitFor();
  expect(performance.now() - changedAtMs).toBeLessThan(1_000);
  expect(await page.locator('.changed').count()).toBe(1);
  expect(reads()).toBe(before);
  expect(await page.locator('main').innerHTML()).not.toContain('CANARY');
  await page.getByRole('link', { name: 'Show it' }).click();
  await page.locator('.changed').waitFor({ state: 'detached' });
  expect(reads()).toBe(before + 1);
  await page.goto(`${app.publicUrl}/events`);
  expect(await page.locator('main').innerText()).toMatch(/Debt updated[\s\S]*Handled/);
  expect(complaints).toEqual([]);
}, 30_000);

it('marks the row of a list that is filtered, too, in a region that is there to be read aloud', async () => {
  const { page, id } = await openDebts('/debts?status=status.default.paid');
  await page.getByRole('status').waitFor({ state: 'attached' });
  expect(await page.locator('main').ariaSnapshot()).toContain('status');
  await changeDebtAtGetbill(id);
  await page.locator('tr .changed').waitFor({ timeout: 5_000 });
}, 30_000);

it('what has the focus keeps it when more changes, and equal words are said once', async () => {
  const { page, id } = await openDebts();
  await changeDebtAtGetbill(id);
  const link = page.getByRole('link', { name: 'Show it' });
  await link.focus();
  await page.evaluate(`(() => {
    globalThis.said = 0;
    const options = { childList: true, characterData: true, subtree: true };
    new MutationObserver(() => (said += 1)).observe(document.querySelector('.changes'), options);
  })()`);
  await changeDebtAtGetbill(id);
  const other = page.locator('main table a[href^="/debts/"]').nth(1);
  await changeDebtAtGetbill((await other.getAttribute('href'))?.split('/').at(-1) ?? '');
  await page.getByRole('status').getByText('2 things have changed').waitFor();
  expect(await page.evaluate('said')).toBe(1);
  expect(await page.locator('.changes a:focus').count()).toBe(1);
}, 30_000);

/** What a browser tells a page when another tab is looked at: here all tabs are. */
const turn = (page: Page, hidden: boolean): Promise<unknown> =>
  page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'))`);
const isLive = (request: Request): boolean => request.url().includes('/events/live');

it('has no connection while nobody looks at it, and misses nothing of what happens then', async () => {
  const { page, id } = await openDebts();
  await changeDebtAtGetbill(id);
  await page.locator('tr .changed').waitFor();
  const closed = page.waitForEvent('requestfailed', { predicate: isLive, timeout: 5_000 });
  await turn(page, true);
  await closed;
  const other = page.locator('main table a[href^="/debts/"]').nth(1);
  await changeDebtAtGetbill((await other.getAttribute('href'))?.split('/').at(-1) ?? '');
  await page.evaluate('new Promise((done) => setTimeout(done, 1000))'); // it would have come by now
  expect(await page.locator('tr .changed').count()).toBe(1);
  const [opened] = await Promise.all([page.waitForRequest(isLive), turn(page, false)]);
  expect(opened.url()).toMatch(/since=\d+-\d+$/);
  await page.getByRole('status').getByText('2 things have changed').waitFor();
  expect(await page.locator('tr .changed').count()).toBe(2);
}, 30_000);

it('listens again by itself after a refusal, as a proxy gives it while the app restarts, and misses nothing', async () => {
  const { page, id } = await openDebts();
  await page.route('**/events/live*', (route) => route.fulfill({ status: 502 }));
  await turn(page, true);
  const refused = page.waitForResponse((response) => response.status() === 502);
  await turn(page, false);
  await refused;
  await changeDebtAtGetbill(id);
  await page.unroute('**/events/live*');
  await page.locator('tr .changed').waitFor({ timeout: 8_000 });
}, 30_000);

import type { Browser, Page, Route } from 'playwright-core';
import { expectOrder } from '../flow/support/order.js';
import { launchChromium } from '../support/chromium.js';
import type { TestApp } from '../support/test-app.js';
import { patchedTree, type PatchedTree } from './support/patched-tree.js';

let tree: PatchedTree;
let app: TestApp;
let chromium: Browser;
beforeAll(async () => {
  tree = patchedTree('examples/front-end.diff');
  const scopes = 'company:read debts:read debts:write';
  const env = { FLOW_INSPECTOR: 'true', GETBILL_SCOPES: scopes };
  [app, chromium] = await Promise.all([tree.startTestApp({ env }), launchChromium()]);
}, 30_000);
afterAll(async () => await expectOrder(chromium.contexts(), app));
afterAll(async () => {
  await chromium.close();
  await app.close();
  tree.remove();
});

async function openFrontEnd(): Promise<{ page: Page; complaints: string[] }> {
  const page = await (await chromium.newContext()).newPage();
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`${app.publicUrl}/front-end/`);
  return { page, complaints };
}

async function signIn(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Sign in with GetBill' }).click();
  await page.getByText('Signed in until').waitFor();
}

describe('the single-page front end of examples/front-end', () => {
  it('offers to sign in, comes back to itself, and reads and writes through /api', async () => {
    const { page, complaints } = await openFrontEnd();
    await signIn(page);
    expect(page.url()).toBe(`${app.publicUrl}/front-end/`);
    await page.locator('#debts li').nth(4).waitFor();
    expect(await page.locator('#debts li').count()).toBe(5);

    await page.getByRole('button', { name: 'Put on hold' }).first().click();
    await page.getByText('status.default.on_hold').waitFor();
    const writes = app.sandbox.control.requests().filter(({ method }) => method === 'PUT');
    expect(writes.map(({ body }) => body)).toEqual(['{"status":"status.default.on_hold"}']);
    expect(complaints).toEqual([]);
  }, 30_000);

  it('leads back to the sign-in when the session ended in another tab', async () => {
    const { page, complaints } = await openFrontEnd();
    await signIn(page);
    const other = await page.context().newPage();
    await other.goto(app.publicUrl);
    await other.getByRole('button', { name: 'Sign out' }).first().click();
    await other.getByText('signed out here').first().waitFor();

    await page.getByRole('button', { name: 'Put on hold' }).first().click();
    await signIn(page);
    expect(complaints).toEqual([]);
  }, 30_000);

  it('signs out', async () => {
    const { page } = await openFrontEnd();
    await signIn(page);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: 'Sign in with GetBill' }).waitFor();
    await page.reload();
    await page.getByRole('link', { name: 'Sign in with GetBill' }).waitFor();
  }, 30_000);

  it.each([
    ['is answered with a 503', (route: Route) => route.fulfill({ status: 503 })],
    ['is answered with a 403', (route: Route) => route.fulfill({ status: 403 })],
    ['does not get through', (route: Route) => route.abort()],
  ])(
    'does not say that somebody is signed out when the sign-out %s, and lets them try again',
    async (_what, fail) => {
      const { page, complaints } = await openFrontEnd();
      await signIn(page);
      await page.route('**/logout', fail);
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByText('Signing out did not work').waitFor();
      expect(await page.getByRole('link', { name: 'Sign in with GetBill' }).count()).toBe(0);

      await page.unroute('**/logout');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('link', { name: 'Sign in with GetBill' }).waitFor();
      expect(complaints).toEqual([]);
    },
    30_000,
  );
});

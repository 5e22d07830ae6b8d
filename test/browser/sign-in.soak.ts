import type { Browser, Page } from 'playwright-core';
import { expectOrder } from '../flow/support/order.js';
import { launchChromium } from '../support/chromium.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

let app: TestApp;
let chromium: Browser;
beforeAll(async () => {
  [app, chromium] = await Promise.all([
    startTestApp({ env: { FLOW_INSPECTOR: 'true' }, faults: { consent: 'ask' } }),
    launchChromium(),
  ]);
}, 30_000);
afterAll(async () => {
  await expectOrder(chromium.contexts(), app);
  await chromium.close();
  await app.close();
});

async function open(javaScriptEnabled: boolean): Promise<{ page: Page; complaints: string[] }> {
  const context = await chromium.newContext({ javaScriptEnabled });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  return { page, complaints };
}

describe('a person with a browser', () => {
  it.each([true, false])(
    'signs in, sees the company and signs out (scripts on: %s)',
    async (scripts) => {
      const { page, complaints } = await open(scripts);
      await page.goto(app.publicUrl);
      await page.getByRole('link', { name: /sign in/i }).first().click(); // prettier-ignore
      await page.getByLabel('Example Collections LLC').check();
      await page.locator('button[name="decision"][value="allow"]').click();

      await page.waitForURL(`${app.publicUrl}/dashboard`);
      expect(await page.locator('main').innerText()).toContain('Example Collections LLC');

      await page.getByRole('button', { name: /sign out/i }).first().click(); // prettier-ignore
      await page.waitForURL(`${app.publicUrl}/`);
      expect(await page.locator('main').innerText()).toMatch(/signed out here/);
      await page.goto(`${app.publicUrl}/dashboard`);
      expect(page.url()).toContain(app.sandbox.origin);
      expect(complaints).toEqual([]);
    },
    30_000,
  );
});

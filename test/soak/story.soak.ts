import type { Browser, Page } from 'playwright-core';
import { expectOrder } from '../flow/support/order.js';
import { launchChromium } from '../support/chromium.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

let app: TestApp;
let chromium: Browser;
beforeAll(async () => {
  const options = { env: { FLOW_INSPECTOR: 'true' }, faults: { consent: 'ask' as const } };
  [app, chromium] = await Promise.all([startTestApp(options), launchChromium()]);
}, 30_000);
afterAll(async () => await expectOrder(chromium.contexts(), app));
afterAll(async () => {
  await chromium.close();
  await app.close();
});

const allow = (page: Page): Promise<void> =>
  page.locator('button[name="decision"][value="allow"]').click();

/** Breaks something on the sandbox's page, and waits until it says that it is done. */
async function press(panel: Page, button: string): Promise<void> {
  await panel.goto(app.sandbox.origin);
  await panel.getByRole('button', { name: button }).click();
  await panel.locator('[data-message]:not(:empty)').waitFor();
}

describe('somebody who breaks things on the left and watches the app on the right', () => {
  it('sees one renewal with its reason after "expire", and lands where they were after "revoke"', async () => {
    const context = await chromium.newContext();
    context.setDefaultTimeout(8_000);
    const [page, panel] = [await context.newPage(), await context.newPage()];
    await page.goto(`${app.publicUrl}/login`);
    await allow(page);
    await page.waitForURL(`${app.publicUrl}/dashboard`);

    await press(panel, 'Expire access tokens');
    await page.reload();
    expect(await page.locator('h1').innerText()).toBe('Example Collections LLC');

    await page.getByRole('link', { name: 'Flow' }).click();
    const renewals = page.locator('.flow-steps details', {
      has: page.getByText('Access token renewed'),
    });
    expect(await renewals.count()).toBe(1);
    await renewals.locator('summary').first().click();
    await renewals.locator('dl').first().waitFor();
    const told = await renewals.innerText();
    expect(told).toContain('The API rejected it (401); it was renewed and the call sent again.');
    expect(told).toMatch(/reason\s+rejected/);

    await page.goto(`${app.publicUrl}/debts`);
    await page.getByText('Status: All').click();
    await press(panel, 'Revoke all grants');
    await page.getByRole('link', { name: /^Paid/ }).first().click();
    await allow(page);
    await page.waitForURL(`${app.publicUrl}/debts?status=status.default.paid`);
    expect(await page.locator('h1').innerText()).toBe('Debts');
  }, 30_000);
});

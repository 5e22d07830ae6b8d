import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

let app: TestApp;
let chromium: Browser;
beforeAll(async () => {
  [app, chromium] = await Promise.all([startTestApp({ faults: { consent: 'ask' } }), launchChromium()]);
}, 30_000);
afterAll(async () => {
  await chromium.close();
  await app.close();
});

const open = async (): Promise<Page> => (await chromium.newContext()).newPage();

describe('a person with a browser', () => {
  it('is told what happened when it denies consent, and comes back with one click', async () => {
    const page = await open();
    await page.goto(`${app.publicUrl}/login`);
    await page.locator('button[name="decision"][value="deny"]').click();
    expect(await page.locator('h1').innerText()).toBe('You did not give access');
    await page.getByRole('link', { name: 'Sign in again' }).click();
    expect(page.url()).toContain(app.sandbox.origin);
  }, 30_000);

  it('does not see an error after the Back button', async () => {
    const page = await open();
    await page.goto(`${app.publicUrl}/login`);
    await page.locator('button[name="decision"][value="allow"]').click();
    await page.waitForURL(`${app.publicUrl}/dashboard`);
    await page.goBack();
    await page.goBack().catch(() => undefined);
    await page.goto(`${app.publicUrl}/dashboard`);
    expect(await page.locator('main').innerText()).toContain('Example Collections LLC');
  }, 30_000);
});

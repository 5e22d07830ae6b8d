import { startPages, type Pages } from './support/pages.js';

let pages: Pages;
beforeAll(async () => void (pages = await startPages({ faults: { consent: 'ask' } })), 30_000);
afterAll(() => pages.close());

describe('a person with a browser', () => {
  it('is told what happened when it denies consent, and comes back with one click', async () => {
    const page = await pages.open();
    await page.goto('/login');
    await page.locator('button[name="decision"][value="deny"]').click();
    expect(await page.locator('h1').innerText()).toBe('You did not give access');
    await page.getByRole('link', { name: 'Sign in again' }).click();
    expect(page.url()).toContain(pages.app.sandbox.origin);
  });

  it('does not see an error after the Back button', async () => {
    const page = await pages.open();
    await page.goto('/login');
    await page.locator('button[name="decision"][value="allow"]').click();
    await page.waitForURL('/dashboard');
    await page.goBack();
    await page.goBack().catch(() => undefined);
    await page.goto('/dashboard');
    expect(await page.locator('main').innerText()).toContain('Example Collections LLC');
  });
});

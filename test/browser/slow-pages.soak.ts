import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { startPages, type Pages } from '../soak/support/pages.js';

let pages: Pages;
beforeAll(async () => void (pages = await startPages()), 60_000);
afterAll(() => pages.close());
afterEach(() => pages.app.sandbox.control.reset());

/** Every request for `path` takes so long from here on. Returns what has been asked for. */
async function slow(page: Page, path: string, ms: number): Promise<string[]> {
  const asked: string[] = [];
  await page.route(path, async (route) => {
    asked.push(route.request().url());
    await delay(ms);
    await route.continue().catch(() => undefined); // it was given up
  });
  return asked;
}

it('a page that tries again by itself waits for its answer, however long that takes', async () => {
  const page = await pages.open();
  await pages.signIn(page);
  pages.app.sandbox.control.set({
    api: [{ mode: 'rateLimited', retryAfterS: 1, path: '/debts', times: 0 }],
  });
  await page.goto('/debts');
  await page.getByText('Trying again').waitFor();
  pages.app.sandbox.control.reset();
  await pages.app.services.quota.forget();
  const asked = await slow(page, '/debts', 3_500);
  await page.locator('main table').waitFor();
  expect(asked).toHaveLength(1);
}, 30_000);

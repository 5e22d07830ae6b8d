import type { Page } from 'playwright-core';
import { startPages, type Pages } from '../soak/support/pages.js';

let pages: Pages;
beforeAll(async () => void (pages = await startPages({ faults: { consent: 'auto' } })), 60_000);
afterAll(() => pages.close());

async function signedIn(path: string, settings: Parameters<Pages['open']>[0] = {}): Promise<Page> {
  const page = await pages.open(settings);
  page.setDefaultTimeout(10_000);
  await page.goto(`/login?returnTo=${encodeURIComponent(path)}`);
  await page.waitForURL(path);
  return page;
}

it("a status of the company's own has the dot of a status, and not the dash of a missing value", async () => {
  const page = await signedIn('/dashboard');
  const before = (selector: string) =>
    page.evaluate<string[]>(
      `[...document.querySelectorAll('${selector}')].map((one) => getComputedStyle(one, '::before').content)`,
    );
  expect(new Set(await before('.swatch'))).toEqual(new Set(['none']));
  await page.goto('/debts?status=status.custom.legal_action');
  expect(new Set(await before('.status:not(.all)'))).toEqual(new Set(['""']));
  await page.context().close();
});

import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext } from 'playwright-core';
import { launchChromium } from '../support/chromium.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

let app: TestApp;
let chromium: Browser;
beforeAll(async () => {
  [app, chromium] = await Promise.all([startTestApp(), launchChromium()]);
}, 60_000);
afterAll(async () => {
  await chromium.close();
  await app.close();
});

async function violationsOn(context: BrowserContext, path: string): Promise<string[]> {
  const page = await context.newPage();
  await page.goto(app.publicUrl + path);
  const { violations } = await new AxeBuilder({ page }).analyze();
  const overflows = await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');
  await page.close();
  return [
    ...violations.map(({ id }) => `${path}: ${id}`),
    ...(overflows === true ? [`${path}: wider than the window`] : []),
  ];
}

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  it.each([360, 1440])(
    'every page is accessible and fits %i px',
    async (width) => {
      const context = await chromium.newContext({ colorScheme, viewport: { width, height: 800 } });
      const found = [...(await violationsOn(context, '/')), ...(await violationsOn(context, '/no-such-page'))];
      const page = await context.newPage();
      await page.goto(`${app.publicUrl}/login`);
      await page.waitForURL(`${app.publicUrl}/dashboard`);
      const debt = await page.request.get(`${app.publicUrl}/api/debts?limit=1`);
      const { data } = (await debt.json()) as { data: { id: string }[] };
      for (const path of ['/dashboard', '/debts', '/debts?page=3', '/connection', `/debts/${data[0]?.id ?? ''}`]) {
        found.push(...(await violationsOn(context, path)));
      }
      expect(found).toEqual([]);
      await context.close();
    },
    60_000,
  );
});

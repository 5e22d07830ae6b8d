import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

let app: TestApp;
let chromium: Browser;
beforeAll(async () => {
  const env = { FLOW_INSPECTOR: 'true' };
  [app, chromium] = await Promise.all([startTestApp({ env }), launchChromium()]);
}, 60_000);
afterAll(async () => {
  await chromium.close();
  await app.close();
});

async function faultsOn(page: Page, path: string): Promise<string[]> {
  await page.goto(app.publicUrl + path);
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
  const widerThan = async (width: number): Promise<boolean> => {
    await page.setViewportSize({ width, height: 800 });
    return (await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')) !== 0;
  };
  const { width } = page.viewportSize() ?? { width: 0 };
  const tooWide: string[] = [];
  for (const other of [360, 1440, width]) if (await widerThan(other)) tooWide.push(`${path}: wider than ${other} px`);
  return [...violations.map(({ id }) => `${path}: ${id}`), ...tooWide];
}

describe('every page', () => {
  it.each([
    ['light', 360],
    ['dark', 1440],
  ] as const)(
    'is accessible in %s at %i px and fits any window',
    async (colorScheme, width) => {
      const context = await chromium.newContext({ colorScheme, viewport: { width, height: 800 } });
      const page = await context.newPage();
      const found = [...(await faultsOn(page, '/')), ...(await faultsOn(page, '/no-such-page'))];
      await page.goto(`${app.publicUrl}/login`);
      const debt = await page.request.get(`${app.publicUrl}/api/debts?limit=1`);
      const { data } = (await debt.json()) as { data: { id: string }[] };
      for (const path of ['/dashboard', '/debts', '/connection', '/flow', `/debts/${data[0]?.id ?? ''}`]) {
        found.push(...(await faultsOn(page, path)));
      }
      expect(found).toEqual([]);
      await context.close();
    },
    150_000,
  );
});

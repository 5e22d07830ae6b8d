// `npm run screenshots`: the pictures in docs/images, taken of the running demo in a real browser, light and dark.
import { chromium, type Page } from 'playwright-core';
import { startDemo } from './support/running-demo.js';

const { app, ...demo } = await startDemo();
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
  ],
});

async function signIn(page: Page): Promise<void> {
  await page.goto(`${app}/login`);
  await page.locator('button[name="decision"][value="allow"]').click();
  await page.waitForURL(`${app}/dashboard`);
}

for (const colorScheme of ['light', 'dark'] as const) {
  const context = await browser.newContext({
    colorScheme,
    viewport: { width: 1200, height: 820 },
    deviceScaleFactor: 1,
  });
  const page = await context.newPage();
  const shoot = async (name: string, path: string): Promise<void> => {
    await page.goto(app + path);
    await page.screenshot({ path: `docs/images/${name}-${colorScheme}.png` });
    console.log(`docs/images/${name}-${colorScheme}.png`);
  };
  await shoot('landing', '/');
  await signIn(page);
  await shoot('dashboard', '/dashboard');
  await shoot('debts', '/debts');
  await shoot('connection', '/connection');
  await shoot('flow', '/flow');
  await context.close();
}

await browser.close();
demo.stop();

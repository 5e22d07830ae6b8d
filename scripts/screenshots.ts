// `npm run screenshots`: the pictures in docs/images, taken of the running demo in a real browser:
// the flow beside the sandbox, light and dark, and a recording of the tour.
import { mkdirSync } from 'node:fs';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { record } from './support/recording.js';
import { startDemo } from './support/running-demo.js';

const FOLDER = 'docs/images';
const HEIGHT = 980;
const FLOW_WIDTH = 920;
const SANDBOX_WIDTH = 800;

const { app, sandbox, ...demo } = await startDemo();
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
  ],
});
mkdirSync(FOLDER, { recursive: true });

const allow = (page: Page): Promise<void> =>
  page.locator('button[name="decision"][value="allow"]').click();

async function pictureOf(context: BrowserContext, url: string, width: number): Promise<Buffer> {
  const page = await context.newPage();
  await page.setViewportSize({ width, height: HEIGHT });
  await page.goto(url);
  await page.waitForTimeout(1_500); // times become local, the log is drawn
  return await page.screenshot();
}

/** A page of the debts whose token had died, as the flow shows it and as the sandbox saw it. */
async function flowAndSandbox(colorScheme: 'light' | 'dark'): Promise<void> {
  const context = await browser.newContext({ colorScheme });
  const page = await context.newPage();
  await page.goto(`${app}/login?returnTo=/debts`);
  await allow(page);
  await page.waitForURL(`${app}/debts`);
  await page.goto(sandbox);
  await page.getByRole('button', { name: 'Expire access tokens' }).click();
  await page.locator('[data-message]:not(:empty)').waitFor();
  await page.goto(`${app}/debts?page=2`);
  const pictures = [
    await pictureOf(context, `${app}/flow`, FLOW_WIDTH),
    await pictureOf(context, sandbox, SANDBOX_WIDTH),
  ];
  const images = pictures.map(
    (png) => `<img src="data:image/png;base64,${png.toString('base64')}">`,
  );
  const [back, line] = colorScheme === 'light' ? ['#dfe5e3', '#b8c2bf'] : ['#000', '#39444b'];
  await page.setViewportSize({
    width: FLOW_WIDTH + SANDBOX_WIDTH + 3 * 20 + 4,
    height: HEIGHT + 2 * 20 + 2,
  });
  await page.goto('about:blank');
  await page.setContent(
    `<style>body{margin:20px;display:flex;gap:20px;background:${back}}img{border:1px solid ${line};border-radius:8px}</style>${images.join('')}`,
  );
  await page.screenshot({ path: `${FOLDER}/flow-and-sandbox-${colorScheme}.png` });
  await context.close();
}

/** The first three scenes of the tour, with the flow that draws itself beside them. */
async function tour(): Promise<void> {
  const viewport = { width: 1440, height: 800 };
  const context = await browser.newContext({ colorScheme: 'light', viewport });
  const page = await context.newPage();
  const play = async (id: string): Promise<void> => {
    await page.locator(`#${id}`).scrollIntoViewIfNeeded();
    await page.evaluate(`document.querySelector('#${id}').scrollIntoView({ block: 'start' })`);
    await page.waitForTimeout(1_200);
    await page.locator(`#${id} form button`).first().click();
  };
  await page.goto(`${app}/tour`);
  await record(page, `${FOLDER}/tour.webp`, async () => {
    await play('sign-in');
    await page.waitForURL(`${sandbox}/**`);
    await page.waitForTimeout(1_200);
    await allow(page);
    await page.waitForURL(`${app}/tour**`);
    for (const id of ['expired', 'tabs']) {
      await play(id);
      await page.locator(`#${id}[data-state="done"], #${id}[data-state="passed"]`).waitFor();
      await page.waitForTimeout(2_000);
    }
  });
  await context.close();
}

try {
  await flowAndSandbox('light');
  await flowAndSandbox('dark');
  await tour();
} finally {
  await browser.close();
  demo.stop();
}

import type { Browser, Page } from 'playwright-core';
import { AxeBuilder } from '@axe-core/playwright';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import { launchChromium } from '../support/chromium.js';
import { faultsOf } from './support/looks.js';

jest.setTimeout(300_000);

let sandbox: Sandbox;
let chromium: Browser;
beforeAll(async () => {
  [sandbox, chromium] = await Promise.all([startSandbox(), launchChromium()]);
}, 60_000);
afterAll(() => Promise.all([chromium.close(), sandbox.close()]));
afterEach(() => sandbox.control.startAfresh());

async function open(settings: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
  const page = await (await chromium.newContext(settings)).newPage();
  await page.goto(sandbox.origin);
  return page;
}

const button = (page: Page, name: string) =>
  page.getByRole('button', { name, exact: true }).first();
const chips = (page: Page) => page.locator('[data-waiting] li');
const authorize = '/oauth/authorize?response_type=code&client_id=sandbox-client&scope=debts:read';

it('has no obstacle in any scheme and size, nor have the pages of sign-in and error', async () => {
  const page = await open();
  await button(page, 'Broken JSON').click();
  await button(page, '503, an HTML page').click();
  await page.locator('[data-message]:not(:empty)').waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await page.emulateMedia({ forcedColors: 'active' });
  for (const width of [360, 1440]) {
    await page.setViewportSize({ width, height: 800 });
    const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
  }
  await page.emulateMedia({ forcedColors: 'none' });
  const redirects = ['http://localhost:3000/oauth/callback', 'http://localhost:3001/other'];
  for (const redirect of redirects) {
    await page.goto(`${sandbox.origin}${authorize}&redirect_uri=${encodeURIComponent(redirect)}`);
    expect(await faultsOf(page)).toEqual([]);
  }
});

it('fits a small phone with letters of twice the size, whatever is queued', async () => {
  const page = await open({ viewport: { width: 360, height: 740 } });
  await button(page, 'Broken JSON').click();
  await chips(page).first().waitFor();
  await page.evaluate('document.documentElement.style.fontSize = "200%"');
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
});

it('nothing moves under the mouse while faults are queued, removed and met', async () => {
  for (const width of [360, 1440]) {
    const page = await open({ viewport: { width, height: 800 } });
    const places = () =>
      page.evaluate<string[]>(`(() => {
        const found = document.querySelectorAll('main button:not([data-remove]), main select, main h2');
        return [...found].map((one) => {
          const { x, y } = one.getBoundingClientRect();
          return [one.textContent.trim().slice(0, 12), Math.round(x), Math.round(y)].join(' ');
        });
      })()`);
    await page.evaluate('scrollTo(0, 0)');
    const before = await places();
    const drops = Array.from({ length: 9 }, () => ({ mode: 'drop' }) as const);
    sandbox.control.set({ token: [{ mode: 'status', status: 503, times: 0 }], api: drops });
    await fetch(`${sandbox.origin}/oauth/token`, { method: 'POST' });
    await chips(page).nth(9).waitFor({ state: 'attached' });
    await page.locator('[data-log] tr').first().waitFor();
    const same = (text: string) => text.replace(/\(\d+\)/, '');
    expect((await places()).map(same)).toEqual(before.map(same));
    sandbox.control.startAfresh();
    await page.context().close();
  }
});

it('faults that are removed faster than they are drawn anew are those, and no other', async () => {
  const page = await open();
  const faults = [500, 501, 502].map((status) => ({ mode: 'status', status, times: 2 }) as const);
  sandbox.control.set({ api: faults });
  await chips(page).nth(2).waitFor();
  await page.evaluate(`(() => {
    const [one, two] = document.querySelectorAll('[data-remove]');
    one.click();
    two.click();
  })()`);
  await chips(page).nth(1).waitFor({ state: 'detached' });
  expect(sandbox.control.state().faults.api).toEqual(faults.slice(2));
});

it.each(['Promise.reject(new Error())', 'undefined()'])(
  'says so when the browser does not let it copy: %s',
  async (refusal) => {
    const page = await open();
    await page.evaluate(`navigator.clipboard.writeText = () => ${refusal}`);
    await button(page, 'Copy as .env').click();
    await page.getByRole('status').getByText('does not let this page copy').waitFor();
  },
);

it('shows no head of a table while no webhook was sent', async () => {
  const page = await open();
  await page.getByText('None so far.').waitFor();
  expect(await page.getByRole('region', { name: 'Webhooks, the newest first' }).count()).toBe(0);
});

it('buttons that do not fit side by side do not touch', async () => {
  const page = await open({ viewport: { width: 320, height: 700 } });
  await page.goto(`${sandbox.origin}${authorize}&redirect_uri=http%3A%2F%2Flocalhost%3A1%2F`);
  const back = await page.locator('a.button', { hasText: 'Back to the app' }).boundingBox();
  const panel = await page.locator('a.button', { hasText: 'Control panel' }).boundingBox();
  const below = (back?.y ?? 0) + (back?.height ?? 0);
  expect((panel?.y ?? 0) - below).toBeGreaterThanOrEqual(4);
});

it.each([360, 1440])(
  'can be walked and worked with the keyboard alone at %s px, and keeps its focus',
  async (width) => {
    const page = await open({ viewport: { width, height: 800 } });
    const focused = () => page.evaluate('document.activeElement?.tagName');
    const all = await page
      .locator('a[href], button, select, input, textarea, [tabindex="0"]')
      .locator('visible=true')
      .count();
    const seen = new Set<string>();
    for (let step = 0; step < all; step += 1) {
      await page.keyboard.press('Tab');
      const where = await page.evaluate(`(() => {
      const { x, y, width, height } = document.activeElement.getBoundingClientRect();
      const style = getComputedStyle(document.activeElement);
      return [Math.round(x), Math.round(y + scrollY), width > 0 && height > 0,
        y >= 0 && y + height <= innerHeight + 1 || height > innerHeight, style.outlineStyle].join(' ');
    })()`);
      expect(where).toMatch(/^[\d.]+ [\d.]+ true true (solid|auto)$/);
      seen.add(String(where));
    }
    expect(seen.size).toBe(all);

    await button(page, 'Broken JSON').focus();
    for (const key of ['Enter', 'Space', 'Enter']) await page.keyboard.press(key);
    await chips(page).nth(2).waitFor({ state: 'attached' });
    expect(await focused()).toBe('BUTTON');
    await page.locator('[data-remove]').nth(1).focus();
    for (const left of [2, 1, 0]) {
      await page.keyboard.press('Enter');
      await page.locator('[data-waiting-count]', { hasText: String(left) }).waitFor();
      expect(await focused()).toBe(left > 0 ? 'BUTTON' : 'SELECT');
    }
    await button(page, 'Reset everything').press('Enter');
    await page.locator('[data-message]', { hasText: 'Everything works again' }).waitFor();
  },
);

it('says the state before any script runs', async () => {
  sandbox.control.set({ api: [{ mode: 'drop', times: 3 }], consent: 'auto', limitReads: 7 });
  const page = await open({ javaScriptEnabled: false });
  const text = await page.locator('main').innerText();
  expect(text).toContain('drop (next 3 calls)');
  expect(await page.locator('[data-setting="limitReads"] option[selected]').innerText()).toBe('7');
  expect(text).toContain('need scripts');
});

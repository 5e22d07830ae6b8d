import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import { expectOrder } from '../flow/support/order.js';
import { launchChromium } from '../support/chromium.js';
import { freePort } from '../support/free-port.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

let app: TestApp;
let sandbox: Sandbox;
let chromium: Browser;
beforeAll(async () => {
  const port = await freePort(); // the sandbox tells the app of a reset, as in the demo
  sandbox = await startSandbox({ appUrl: `http://localhost:${port}` });
  [app, chromium] = await Promise.all([
    startTestApp({ sandbox, port, env: { FLOW_INSPECTOR: 'true' } }),
    launchChromium(),
  ]);
}, 30_000);
afterAll(async () => await expectOrder(chromium.contexts(), app));
afterAll(async () => {
  await chromium.close();
  await app.close();
  await sandbox.close();
});

const control = () => sandbox.control;
const text = async (page: Page): Promise<string> => await page.locator('main').innerText();

/** Somebody of the first company who has just signed in; `untick` leaves permissions out at GetBill. */
async function signedIn({
  untick = [] as string[],
  ...options
}: BrowserContextOptions & { untick?: string[] } = {}): Promise<Page> {
  const page = await (await chromium.newContext(options)).newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(`${app.publicUrl}/login`);
  for (const scope of untick) await page.locator(`input[value="${scope}"]`).uncheck();
  await page.locator('button[name="decision"][value="allow"]').click();
  await page.waitForURL(`${app.publicUrl}/dashboard`);
  return page;
}

afterEach(() => control().reset());

describe('what people see', () => {
  it('the page that caused a renewal says that it happened just now', async () => {
    const page = await signedIn();
    control().expireAccessTokens();
    await page.reload();
    expect(await text(page)).toMatch(/renewed (just now|once|\d+ s ago)/i);
    expect(control().state().counters.refreshOk).toBe(1);
  }, 30_000);

  it('what was not given at GetBill is not listed as given, once GetBill has said so', async () => {
    const page = await signedIn({ untick: ['debts:read', 'followups:read'] });
    await page.goto(`${app.publicUrl}/debts`);
    expect(await text(page)).toMatch(/not shared/i);
    for (const path of ['/connection', '/dashboard']) {
      await page.goto(`${app.publicUrl}${path}`);
      const given = page.locator('h2', { hasText: /^this app (may|asked for)/i }).locator('..');
      const list = (await given.count()) > 0 ? await given.first().innerText() : '';
      expect([path, list]).toEqual([path, expect.not.stringContaining('See your debts')]);
    }
  }, 30_000);

  it('a limit that is used up is over once the sandbox is reset', async () => {
    control().set({ limitReads: 5 });
    const page = await signedIn();
    for (let turn = 0; turn < 8; turn += 1)
      await page.goto(`${app.publicUrl}/debts?page=${turn + 1}`);
    expect(await text(page)).toMatch(/limit|again/i);
    const panel = await page.context().newPage();
    await panel.goto(sandbox.origin);
    await panel.getByRole('button', { name: 'Reset everything' }).click();
    await panel.locator('[data-message]:not(:empty)').waitFor();
    await page.goto(`${app.publicUrl}/debts`);
    expect(await page.getByRole('row').count()).toBeGreaterThan(3);
  }, 30_000);

  it('a time that became local leaves no gap, in a wide window and when it is made narrow', async () => {
    const page = await signedIn();
    await page.setExtraHTTPHeaders({ 'accept-language': 'en-GB' });
    await page.setViewportSize({ width: 1280, height: 740 });
    await page.goto(`${app.publicUrl}/connection`);
    const gaps = () =>
      page.evaluate(`[...document.querySelectorAll('.life time')].map((time) => {
        const text = document.createRange();
        text.selectNodeContents(time);
        return time.offsetHeight - text.getBoundingClientRect().height > 12;
      })`);
    expect(await gaps()).not.toContain(true);
    await page.setViewportSize({ width: 360, height: 740 });
    await page.evaluate(
      'new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)))',
    );
    expect(await gaps()).not.toContain(true);
  }, 30_000);

  it.each(['Pacific/Kiritimati', 'Pacific/Honolulu'])(
    'the day of a last follow-up is that of the reader, as the time of day beside it is (%s)',
    async (timezoneId) => {
      const page = await signedIn({ locale: 'en-GB', timezoneId });
      const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: timezoneId });
      const expectDay = async (selector: string): Promise<void> => {
        const time = page.locator(selector).first();
        const at = new Date((await time.getAttribute('datetime')) ?? '');
        expect(await time.innerText()).toBe(day.format(at));
      };
      await expectDay('.newest .reference time');
      await page.locator('.newest .who a').first().click();
      await page.waitForURL(/\/debts\/.+/);
      await expectDay('.summary time');
    },
    30_000,
  );

  it('a debt whose follow-ups fail is shown, and one box says what is missing', async () => {
    const page = await signedIn();
    await page.goto(`${app.publicUrl}/debts`);
    control().set({ api: [{ mode: 'status', status: 500, path: '/followups', times: 0 }] });
    await page.getByRole('row').nth(1).getByRole('link').first().click();
    await page.waitForURL(/\/debts\/.+/);
    expect(await text(page)).toMatch(/[€$£]/);
    expect(await text(page)).toMatch(/follow-ups (cannot|could not)/i);
  }, 30_000);
});

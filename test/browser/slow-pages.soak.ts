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
    await delay(ms, undefined, { ref: false });
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

/** In the page, which answers nobody outside of it while another one is on its way. */
const clicked = (stop: string): string => `(async () => {
  const link = document.querySelector('nav a[href="/debts"]');
  const bar = () => document.body.classList.contains('loading');
  const soon = async (done) => {
    const endMs = performance.now() + 2500;
    while (!done() && performance.now() < endMs) await new Promise((go) => setTimeout(go, 10));
    return done();
  };
  let follows;
  addEventListener('click', (event) => (follows = !event.defaultPrevented));
  link.click();
  const hadBar = await soon(bar);
  link.click();
  const twice = follows;
  ${stop};
  const barGoes = await soon(() => !bar());
  link.click();
  return { hadBar, twice, barGoes, afterwards: follows };
})()`;

it.each([
  [
    'Escape has stopped it',
    'document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }))',
    true,
  ],
  ["the browser's button has stopped it", 'window.stop()', true],
  ['nothing, for two seconds', '', false],
])(
  'a link is followed once for two clicks, with a bar meanwhile, and again after %s',
  async (_name, stop, barGoes) => {
    const page = await pages.open();
    await pages.signIn(page);
    await slow(page, '/debts', 5_000);
    const found = await page.evaluate(clicked(stop));
    expect(found).toEqual({ hadBar: true, twice: false, barGoes, afterwards: true });
    await page.close();
  },
  20_000,
);

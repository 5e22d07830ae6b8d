import type { Page } from 'playwright-core';
import { until } from '../support/until.js';
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

it.each([320, 390, 720, 800, 940, 1280])(
  'the button that signs out stands beside the name of the app at %s px',
  async (width) => {
    const page = await signedIn('/connection', { viewport: { width, height: 800 } });
    const brand = await page.locator('header .brand').boundingBox();
    const button = await page.locator('header').getByRole('button').boundingBox();
    expect(button?.y).toBeLessThan((brand?.y ?? 0) + (brand?.height ?? 0));
    expect(button?.x).toBeGreaterThan(brand?.x ?? 0);
    await page.context().close();
  },
);

describe('the menu of statuses', () => {
  const edges = `(() => {
    const { left, right } = document.querySelector('.filter nav').getBoundingClientRect();
    return left >= 0 && right <= document.documentElement.clientWidth;
  })()`;

  it.each([320, 390, 720, 1280])(
    'opens within the window of %s px, whatever the status',
    async (width) => {
      const page = await signedIn('/debts', { viewport: { width, height: 800 } });
      const statuses = ['default.paid', 'default.invalid_phone', `custom.${'very_'.repeat(8)}long`, `custom.${'W'.repeat(50)}`]; // prettier-ignore
      for (const status of statuses) {
        await page.goto(`/debts?status=status.${status}`);
        await page.locator('.filter summary').click();
        expect([status, await page.evaluate(edges)]).toEqual([status, true]);
      }
      await page.context().close();
    },
  );

  it('closes when the focus leaves it, so that it hides nothing that has the focus', async () => {
    const page = await signedIn('/debts');
    const menu = page.locator('details.filter');
    await menu.locator('summary').press('Enter');
    const links = await menu.locator('a').count();
    for (let tabs = 0; tabs < links; tabs += 1) await page.keyboard.press('Tab');
    expect(await page.locator('details.filter[open]:focus-within').count()).toBe(1);
    await page.keyboard.press('Tab');
    expect(await page.locator('details.filter[open]').count()).toBe(0);
    await page.context().close();
  });
});

it('a copy button that is pressed twice says its own words again', async () => {
  const page = await signedIn('/dashboard', { permissions: ['clipboard-read', 'clipboard-write'] });
  const button = page.locator('button[data-copy]').first();
  const words = await button.innerText();
  await button.click();
  await button.click();
  await button.getByText('Copied').waitFor();
  await page.getByText('Copied').waitFor({ state: 'detached', timeout: 5_000 });
  expect(await button.innerText()).toBe(words);
  await page.context().close();
});

it('on the line of a token the part that has passed goes on with the mark of now', async () => {
  pages.app.sandbox.control.set({ accessTokenLifetimeS: 60 });
  const page = await signedIn('/connection');
  const line = () =>
    page.evaluate<string[]>(`(() => {
      const [now, passed] = ['[data-now-from]', '.passed'].map((one) => document.querySelector('.life-scale ' + one));
      const x = passed.getAttribute('width');
      return [now.getAttribute('x'), x, passed.parentElement.ariaLabel, Math.round(parseFloat(x)) + ' %'];
    })()`);
  const [atFirst] = await line();
  await until('the mark has moved', async () => (await line())[0] !== atFirst);
  const [now, passed, words, share = ''] = await line();
  expect(passed).toBe(now);
  expect(words).toContain(share);
  pages.app.sandbox.control.reset();
  await page.context().close();
});

it('on paper an overdue debt has the red of a light page, whatever the window has', async () => {
  const colours = [];
  for (const [colorScheme, media] of [
    ['light', 'screen'],
    ['dark', 'print'],
  ] as const) {
    const page = await signedIn('/debts', { colorScheme });
    await page.emulateMedia({ media });
    colours.push(await page.evaluate("getComputedStyle(document.querySelector('.late')).color"));
    await page.context().close();
  }
  expect(colours[1]).toBe(colours[0]);
});

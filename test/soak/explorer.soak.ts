import type { Page } from 'playwright-core';
import { faultsOf, watch } from './support/looks.js';
import { startPages, type Pages } from './support/pages.js';

jest.setTimeout(300_000);

let pages: Pages;
beforeAll(async () => {
  pages = await startPages({
    env: { GETBILL_SCOPES: 'company:read debts:read debts:write', GETBILL_TIMEOUT_MS: '20000' },
  });
}, 60_000);
afterAll(() => pages.close());
afterEach(() => pages.app.sandbox.control.set({ api: [] }));

const send = (page: Page) => page.getByRole('button', { name: /^(Send|Review and send)$/ }).click();
const heading = (page: Page, text: RegExp) =>
  page.getByRole('heading', { level: 2, name: text }).waitFor();

const states: readonly (readonly [name: string, arrange: (page: Page) => Promise<unknown>])[] = [
  ['the index', (page) => page.goto('/explorer')],
  ['a form', (page) => page.goto('/explorer/get-debts')],
  ['a response', async (page) => {
    await send(page);
    await heading(page, /200 OK/);
    await page.locator('summary').click();
  }],
  ['an operation without its permission', (page) => page.goto('/explorer/get-reports')],
  ['a body that is no JSON', async (page) => {
    await page.goto('/explorer/post-debts');
    await page.locator('textarea').fill('{');
    await send(page);
    await page.locator('textarea[aria-invalid]').waitFor();
  }],
  ['a confirmation', async (page) => {
    await page.goto('/explorer/delete-debts-id?id=abc');
    await send(page);
    await heading(page, /Send this/);
  }],
  ['a response of GetBill that is an error', async (page) => {
    await page.getByRole('button', { name: 'Yes, send it' }).click();
    await heading(page, /404/);
  }],
  ['no response of GetBill', async (page) => {
    pages.app.sandbox.control.set({ api: [{ mode: 'html', status: 503 }] });
    await page.goto('/explorer/get-company-profile');
    await send(page);
    await heading(page, /502/);
  }],
]; // prettier-ignore

describe('the API explorer in a real browser', () => {
  it('has no obstacle in any of its states, light and dark, small and large', async () => {
    const page = await pages.open();
    const complaints = watch(page, [pages.app.publicUrl, pages.app.sandbox.origin]);
    await pages.signIn(page);
    for (const [name, arrange] of states) {
      await arrange(page);
      expect([name, await faultsOf(page)]).toEqual([name, []]);
    }
    expect(complaints).toEqual([]);
  });

  it('sends in place, by the keyboard alone, and moves the focus to the response', async () => {
    const page = await pages.open();
    await pages.signIn(page);
    await page.goto('/explorer/get-debts');
    await page.evaluate('window.isSameDocument = true');
    await page.getByLabel('limit').focus();
    await page.keyboard.press('Enter');
    await heading(page, /200 OK/);
    expect(await page.evaluate('document.activeElement.id')).toBe('response');
    expect(await page.evaluate('window.isSameDocument')).toBe(true);
    await page.goto('/explorer/post-debts');
    await page.locator('textarea').focus();
    await page.keyboard.press('Control+Enter');
    await heading(page, /Send this/);
    expect(await page.evaluate('document.activeElement.id')).toBe('response');
    await page.keyboard.press('Tab'); // the JSON
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await heading(page, /201|200/);
  });

  it('keeps what was typed when the app refuses it, and says why where responses go', async () => {
    const page = await pages.open();
    await pages.signIn(page);
    await page.goto('/explorer/post-debts');
    const typed = JSON.stringify({ notes: 'a'.repeat(50_000) });
    await page.locator('textarea').fill(typed);
    await page.keyboard.press('Control+Enter');
    await page.locator('h2#response', { hasNotText: /^Response$/ }).waitFor({ timeout: 5_000 });
    expect(await page.evaluate('document.activeElement.id')).toBe('response');
    expect(await page.locator('textarea').inputValue()).toBe(typed);
    expect(await faultsOf(page)).toEqual([]);
    await page.locator('textarea').fill('{}');
    await send(page);
    await heading(page, /Send this/);
  });

  it('does the same without scripts', async () => {
    const page = await pages.open({ javaScriptEnabled: false });
    await pages.signIn(page);
    await page.goto('/explorer/get-debts');
    await send(page);
    await heading(page, /200 OK/);
    await page.goto('/explorer/post-debts');
    await send(page);
    await page.getByRole('button', { name: 'Yes, send it' }).click();
    await heading(page, /201|200/);
  });

  it('leads to the sign-in when the session has ended meanwhile, with scripts and without', async () => {
    for (const javaScriptEnabled of [true, false]) {
      const page = await pages.open({ javaScriptEnabled });
      await pages.signIn(page);
      await page.goto('/explorer/get-debts');
      const other = await page.context().newPage();
      await other.goto('/connection');
      await other.getByRole('main').getByRole('button', { name: 'Sign out' }).click();
      await other.waitForURL('/');
      await send(page);
      if (!javaScriptEnabled) await page.getByRole('main').getByRole('link', { name: 'Sign in' }).click(); // prettier-ignore
      await page.waitForURL('/explorer/get-debts');
      await heading(page, /Request/);
    }
  });
});

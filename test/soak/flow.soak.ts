import type { Browser, Page, Request } from 'playwright-core';
import { faultsOf, watch } from './support/looks.js';
import { launchChromium } from '../support/chromium.js';
import type { TestApp } from '../support/test-app.js';
import { expectOrder } from '../flow/support/order.js';
import { startWatchedApp } from '../flow/support/watched-app.js';

let app: TestApp;
let chromium: Browser;
beforeAll(async () => {
  [app, chromium] = await Promise.all([startWatchedApp(), launchChromium()]);
}, 30_000);
afterEach(() => expectOrder(chromium.contexts(), app));
afterEach(async () => {
  for (const context of chromium.contexts()) await context.close();
});
afterAll(async () => {
  await chromium.close();
  await app.close();
});

/** Two tabs of one browser: one uses the app, the other watches. */
async function open(): Promise<{ page: Page; flow: Page }> {
  const context = await chromium.newContext({ baseURL: app.publicUrl });
  const [page, flow] = [await context.newPage(), await context.newPage()];
  await page.goto('/login');
  await page.waitForURL('/dashboard');
  await flow.goto('/flow');
  await flow.getByText('Live: new messages').waitFor();
  return { page, flow };
}

/** What a browser tells a page when another tab is looked at: here all tabs are. */
const turn = (page: Page, hidden: boolean): Promise<unknown> =>
  page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'))`);

describe('the flow, while somebody watches', () => {
  it('shows ten page loads by itself, and neither focus nor place is lost', async () => {
    const { page, flow } = await open();
    const complaints = watch(flow, [app.publicUrl]);
    const exchange = flow.locator('summary', { hasText: 'Code exchange' });
    await exchange.focus();
    await flow.keyboard.press('Enter');
    await flow.locator('.panel .mask').first().waitFor();
    const place = async () => ({
      focused: await flow.evaluate<string>('document.activeElement.textContent'),
      top: Math.round(
        Number(await flow.evaluate('document.activeElement.getBoundingClientRect().top')),
      ),
    });
    const before = await place();
    for (let count = 1; count <= 10; count += 1) {
      await page.goto('/connection');
      await flow.locator('.story-card', { hasText: 'Connection' }).nth(count - 1).waitFor(); // prettier-ignore
      expect([count, (await place()).focused]).toEqual([count, before.focused]);
    }
    expect(Math.abs((await place()).top - before.top)).toBeLessThanOrEqual(2);
    expect(await flow.locator('[role=log]').count()).toBe(1);
    expect(complaints).toEqual([]);
  }, 60_000);

  it('marks an equal secret wherever it is when one has the focus', async () => {
    const { flow } = await open();
    await flow.locator('summary', { hasText: 'Code exchange' }).click();
    const code = flow.locator('.panel .mask').first();
    await code.waitFor();
    await code.focus();
    const rows = flow.locator('li.same .label');
    expect(await rows.allInnerTexts()).toEqual(['Back to the app with code and state', 'GET /oauth/callback', 'Code exchange']); // prettier-ignore
  }, 30_000);

  it('has no connection while nobody looks at it, and misses nothing, also not the sign-out', async () => {
    const { page, flow } = await open();
    const isLive = (request: Request): boolean => request.url().includes('/flow/live');
    const closed = flow.waitForEvent('requestfailed', { predicate: isLive, timeout: 5_000 });
    await turn(flow, true);
    await closed;
    await page.goto('/connection');
    await page.getByRole('main').getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL('/');
    expect(await flow.locator('.story-title').first().innerText()).not.toBe('Sign-out');
    await turn(flow, false);
    await flow.getByText('You have signed out').waitFor({ timeout: 5_000 });
    const titles = await flow.locator('.story-title').allInnerTexts();
    expect(titles).toEqual(expect.arrayContaining(['Sign-out', 'Connection']));
  }, 30_000);

  it('is live again by itself after a refusal, as a proxy gives it while the app restarts', async () => {
    const { flow } = await open();
    await flow.route('**/flow/live*', (route) => route.fulfill({ status: 502 }));
    await turn(flow, true);
    await turn(flow, false);
    await flow.getByText('Connecting again').waitFor();
    await flow.unroute('**/flow/live*');
    await flow.getByText('Live: new messages').waitFor({ timeout: 10_000 });
  });

  it('is live again after the Back button brought it as it was left', async () => {
    const { page, flow } = await open();
    await flow.evaluate(`dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
      dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))`);
    await page.goto('/connection');
    await flow.locator('.story-card', { hasText: 'Connection' }).waitFor({ timeout: 5_000 });
  }, 30_000);

  it('keeps the extent of a story true whose steps came before they were told', async () => {
    const { flow } = await open();
    const card = flow
      .locator('.story-card', { hasText: 'Dashboard' })
      .or(flow.locator('.story-card'))
      .first();
    const number = await card.locator('.flow-steps li').last().getAttribute('id');
    await flow.evaluate(`document.querySelector('.story-extent').textContent = 'of before';
      address = '/flow/live?last=' + (${String(number?.slice(1))} - 1)`);
    await turn(flow, true);
    await turn(flow, false);
    await flow.getByText('of before').waitFor({ state: 'detached', timeout: 5_000 });
    expect(await flow.locator(`[id="${number}"]`).count()).toBe(1);
  }, 30_000);

  it('follows the link to a step that has expired meanwhile, to say so', async () => {
    const { flow } = await open();
    await flow.route('**/flow/steps/*', (route) => route.fulfill({ status: 404, body: '' }));
    const exchange = flow.locator('li', { hasText: 'Code exchange' });
    await exchange.locator('summary').click();
    await exchange.getByRole('link', { name: /Show the message/ }).click();
    await flow.waitForURL(/step=\d+/, { timeout: 5_000 });
  }, 30_000);

  it('is read aloud by its stories, and not by each message of one or by what is opened', async () => {
    const { page, flow } = await open();
    await flow.evaluate(`(() => {
      globalThis.told = [];
      new MutationObserver((changes) => {
        for (const node of changes.flatMap(({ addedNodes }) => [...addedNodes])) {
          const region = node.parentElement?.closest('[aria-live], [role="log"]');
          const isQuiet = [node.ariaLive, region?.ariaLive].includes('off');
          if (!isQuiet && node.textContent.trim() !== '') told.push(node.nodeName);
        }
      }).observe(document.querySelector('.flow'), { childList: true, subtree: true });
    })()`);
    await page.goto('/connection');
    const story = flow.locator('.story-card', { hasText: 'Connection' });
    await story.getByText('200 OK').waitFor();
    await story.locator('li summary').first().click();
    await flow.locator('.panel').first().waitFor();
    expect(await flow.evaluate('told')).toEqual(['DETAILS']);
  }, 30_000);

  it('copies a message as curl, as often as somebody wants', async () => {
    const { flow } = await open();
    await flow.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await flow.reload();
    await flow.locator('li summary', { hasText: 'Code exchange' }).click();
    await flow.getByText('As curl').first().click();
    const button = flow.getByRole('button', { name: 'Copy as curl' });
    await button.click();
    await flow.getByText('Copied').waitFor();
    await button.waitFor({ timeout: 5_000 });
    expect(await flow.evaluate('navigator.clipboard.readText()')).toMatch(/^curl -X POST /);
  }, 30_000);

  it('stops at sign-out, and says so', async () => {
    const { page, flow } = await open();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await flow.getByText('You have signed out').waitFor();
    expect(await flow.locator('.story-title').first().innerText()).toBe('Sign-out');
  }, 30_000);

  it('has no obstacle, opened and closed, at any size and in any colours, and fits 320 px', async () => {
    const { flow } = await open();
    await flow.locator('summary', { hasText: 'Code exchange' }).click();
    await flow.locator('.panel').first().waitFor();
    expect(await faultsOf(flow)).toEqual([]);
    await flow.setViewportSize({ width: 320, height: 600 });
    expect(await flow.evaluate('document.documentElement.scrollWidth')).toBe(320);
  }, 60_000);

  it('works without scripts: stories and steps open by links', async () => {
    const context = await chromium.newContext({ baseURL: app.publicUrl, javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto('/login');
    await page.waitForURL('/dashboard');
    await page.goto('/connection');
    await page.goto('/flow');
    await page.locator('.story-card > summary', { hasText: 'Sign-in' }).click();
    await page.getByRole('link', { name: 'Show this story' }).click();
    const exchange = page.locator('li', { hasText: 'Code exchange' });
    await exchange.locator('summary').click();
    await exchange.getByRole('link', { name: /Show the message/ }).click();
    expect(await page.locator('.panel pre').first().innerText()).toMatch(
      /^POST \/oauth\/token HTTP\/1.1/,
    );
  }, 30_000);
});

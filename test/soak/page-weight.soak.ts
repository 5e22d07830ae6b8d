import { setTimeout as delay } from 'node:timers/promises';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { companyProfiles } from '../../sandbox/api/data/companies.js';
import { sendWebhook } from '../webhooks/support/send-webhook.js';
import { startPages, type Pages } from './support/pages.js';
import { watch } from './support/looks.js';

const SECRET = 'the-webhook-secret-of-this-test';
const webhooks = {
  GETBILL_WEBHOOK_SECRET: SECRET,
  GETBILL_WEBHOOK_COMPANY: companyProfiles[0].id,
};
let pages: Pages;
/** With the tour and the page of events. */
let demo: Pages;
beforeAll(async () => {
  pages = await startPages();
  demo = await startPages({ env: { TOUR: 'true', ...webhooks } });
}, 60_000);
afterAll(() => Promise.all([pages.close(), demo.close()]));

const PAINTED = 'performance.getEntriesByName("first-contentful-paint").length > 0';
const BLOCKING = `performance.getEntriesByType('resource').filter((one) => one.renderBlockingStatus === 'blocking').map((one) => new URL(one.name).pathname)`;
/** All layout shifts so far, small ones and those after a click as well. */
const SHIFTS = `(() => {
  const observer = new PerformanceObserver(() => {});
  observer.observe({ type: 'layout-shift', buffered: true });
  return observer.takeRecords().map((one) => one.value);
})()`;

interface Weight {
  bytes: number;
  requests: Set<string>;
  blocking: string[];
  shifts: number[];
}

/** Slow enough that a page is painted long before its scripts are there. */
const SLOW_LINE = { offline: false, latency: 20, downloadThroughput: 15_000, uploadThroughput: -1 };

/** What the page costs a browser that has nothing of it yet: bytes as they came over the wire, heads included. */
async function weigh(page: Page, path: string): Promise<Weight> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Network.emulateNetworkConditions', SLOW_LINE);
  await devtools.send('Network.clearBrowserCache');
  let bytes = 0;
  const requests = new Set<string>();
  devtools.on(
    'Network.requestWillBeSent',
    ({ request }) => void requests.add(new URL(request.url).pathname),
  );
  devtools.on(
    'Network.loadingFinished',
    ({ encodedDataLength }) => void (bytes += encodedDataLength),
  );
  await page.goto(path, { waitUntil: path === '/flow' ? 'load' : 'networkidle' }); // its stream has no end
  await page.waitForFunction(PAINTED);
  const weight = {
    bytes,
    requests,
    blocking: await page.evaluate<string[]>(BLOCKING),
    shifts: await page.evaluate<number[]>(SHIFTS),
  };
  await devtools.detach();
  return weight;
}

describe('a page, over a slow line to a browser that has nothing of it yet', () => {
  it('is less than 40 KB in a handful of requests to us alone, shows at once, and nothing in it moves', async () => {
    const page = await pages.open();
    const complaints = watch(page, [pages.app.publicUrl, pages.app.sandbox.origin]);
    const weights: [string, Weight][] = [['/ before sign-in', await weigh(page, '/')]];
    for (const path of await pages.signIn(page)) weights.push([path, await weigh(page, path)]);
    for (const [path, { bytes, requests }] of weights)
      console.log(`${path}: ${bytes} bytes, ${requests.size} requests`);

    for (const [path, { bytes, requests, blocking, shifts }] of weights) {
      expect([path, bytes > 1_000 && bytes < 40_000]).toEqual([path, true]);
      expect([path, requests.size <= (path === '/flow' ? 7 : 4)]).toEqual([path, true]);
      expect([path, blocking]).toEqual([path, ['/assets/style.css']]);
      expect([path, shifts.filter((shift) => shift > 0.01)]).toEqual([path, []]); // less: a time becomes local
    }
    expect(complaints).toEqual([]);

    await page.evaluate(
      `document.body.prepend(Object.assign(document.createElement('p'), { textContent: 'moves all' }))`,
    );
    await page.evaluate(
      'new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))',
    );
    expect(await page.evaluate(SHIFTS)).toHaveLength(1); // so that none above means something
  });
});

it.each<[string, BrowserContextOptions]>([
  ['a phone', { viewport: { width: 360, height: 4_000 }, isMobile: true, hasTouch: true }],
  ['a tablet', { viewport: { width: 768, height: 4_000 }, timezoneId: 'Asia/Kolkata' }],
  ['a large window', { viewport: { width: 1_440, height: 4_000 }, locale: 'en-GB' }],
])('nothing on %s moves up or down when its script comes late', async (_name, window) => {
  /** How far anything was moved up or down, or as a whole; the stories of the tour come in one by one. */
  const MOVES = `(() => {
    const observer = new PerformanceObserver(() => {});
    observer.observe({ type: 'layout-shift', buffered: true });
    return observer.takeRecords().flatMap(({ sources }) => sources)
      .filter(({ node }) => !node?.closest?.('.tour .flow, .tour ~ *, .wide footer'))
      .filter(({ node, previousRect: was, currentRect: is }) => Math.abs(is.y - was.y) > 1 || (node === document.body && is.x !== was.x))
      .map(({ node, previousRect: was, currentRect: is }) => [node.textContent.trim().slice(0, 30), was.y, is.y]);
  })()`;
  const page = await demo.open(window);
  const paths = await demo.signIn(page);
  const event = { type: 'debt.updated', data: { id: 'd1' } };
  await sendWebhook(demo.app.origin, { secret: SECRET, event });
  await page.route(/assets\/(?!style)/, async (route) => {
    await delay(250);
    await route.continue();
  });
  const moved: unknown[] = [];
  for (const path of [...paths, '/tour', '/events', '/explorer/get-debts', '/errors']) {
    await page.goto(path, { waitUntil: 'load' });
    await page.waitForFunction(PAINTED);
    await page.waitForTimeout(path === '/flow' || path === '/tour' ? 700 : 100);
    moved.push([path, await page.evaluate(MOVES)]);
  }
  expect(moved).toEqual(moved.map((one) => [(one as unknown[])[0], []]));
}, 60_000); // prettier-ignore

import { setTimeout as delay } from 'node:timers/promises';
import { scenes, type SceneId } from '../../src/tour/scenes.js';
import { sourceOf } from '../../src/web/source-code.js';
import type { Answer, Browser } from '../support/browser.js';
import { until } from '../support/until.js';
import { freePort } from '../support/free-port.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { claims, countFrom } from './support/claims.js';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ env: { TOUR: 'true', FLOW_INSPECTOR: 'true' } });
});
afterAll(() => app.close());

const counters = () => app.sandbox.control.state().counters;
const csrfIn = (text: string): string => /name="_csrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
const partOf = (text: string, scene: SceneId): string =>
  text.split('<li class="scene"').find((part) => part.includes(`id="${scene}"`)) ?? '';
const stateOf = (text: string, scene: SceneId): string =>
  /data-state="(\w+)"/.exec(partOf(text, scene))?.[1] ?? '';

async function openTour({ signedIn }: { signedIn: boolean }): Promise<Browser> {
  const browser = app.browser();
  if (signedIn) await browser.signIn();
  await browser.get('/tour');
  return browser;
}

/** As a form without scripts; the clock goes faster than the wall's. */
async function play(browser: Browser, scene: SceneId): Promise<Answer> {
  const body = new URLSearchParams({ _csrf: csrfIn((await browser.get('/tour')).text) }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = browser.send('POST', `/tour/scenes/${scene}`, { headers, body });
  const isOver = answer.then(() => true);
  while (!(await Promise.race([isOver, delay(50, false)]))) app.clock.skipMs(250);
  return await answer;
}

/** Goes on where the page leads, up to a page that redirects no further. */
async function follow(browser: Browser, path: string): Promise<string> {
  let next = path;
  for (let hops = 0; hops < 12; hops += 1) {
    const { location } = await browser.get(next);
    if (location === undefined) return next;
    const target = new URL(location, app.publicUrl);
    next =
      target.origin === app.sandbox.origin
        ? await browser.approve(target.href)
        : target.pathname + target.search + target.hash;
  }
  throw new Error('a loop');
}

describe('the tour', () => {
  it('is 404 while TOUR is off', async () => {
    const off = await startTestApp();
    try {
      expect((await off.browser().get('/tour')).status).toBe(404);
      expect((await off.browser().send('POST', '/tour/scenes/expired')).status).toBe(404);
    } finally {
      await off.close();
    }
  });

  it('names code that exists', () => {
    expect(scenes.filter(({ code }) => sourceOf(code).lines === '')).toEqual([]);
  });

  it('weighs less than 40 KB', async () => {
    const { text } = await (await openTour({ signedIn: true })).get('/tour');
    expect(Buffer.byteLength(text)).toBeLessThan(40_000);
  });

  it.each(['expired', 'tabs', 'limit', 'replay'] as const)(
    'plays the scene "%s" to its end, and the sandbox is as it was',
    async (scene) => {
      const browser = await openTour({ signedIn: true });
      app.sandbox.control.set({ token: [{ mode: 'garbage' }], limitReads: 900 });
      const { faults } = app.sandbox.control.state();
      const counted = countFrom(app.sandbox);
      const { status, location } = await play(browser, scene);
      expect(counted()).toEqual(claims[scene]);
      expect([status, location]).toEqual([303, `/tour#${scene}`]);
      const { text } = await browser.get('/tour');
      expect([stateOf(text, scene), partOf(text, scene)]).toEqual(['passed', expect.any(String)]);
      expect(app.sandbox.control.state().faults).toEqual(faults);
      app.sandbox.control.reset();
    },
  );

  it.each(['sign-in', 'lost', 'revoked'] as const)(
    'plays the scene "%s", which a sign-in ends',
    async (scene) => {
      const browser = await openTour({ signedIn: true });
      const { faults } = app.sandbox.control.state();
      const counted = countFrom(app.sandbox);
      await play(browser, scene);
      const waiting = partOf((await browser.get('/tour')).text, scene);
      expect(stateOf((await browser.get('/tour')).text, scene)).toBe('waiting');
      const goTo = /class="button" href="([^"]+)"/.exec(waiting)?.[1] ?? '';
      expect(await follow(browser, goTo.replaceAll('&amp;', '&'))).toBe(`/tour#${scene}`);
      const { text } = await browser.get('/tour');
      expect([stateOf(text, scene), partOf(text, scene)]).toEqual(['passed', expect.any(String)]);
      expect(counted()).toEqual(claims[scene]);
      expect(app.sandbox.control.state().faults).toEqual(faults);
    },
  );

  it('says so when the counts are wrong', async () => {
    const [browser, other] = [await openTour({ signedIn: true }), app.browser()];
    await other.signIn();
    const renewals = counters().tokenByGrant.refresh_token;
    const played = play(browser, 'tabs');
    await until('the renewal is under way', () => counters().tokenByGrant.refresh_token > renewals);
    await other.get('/api/company/profile');
    await played;
    const part = partOf((await browser.get('/tour')).text, 'tabs');
    expect(part).toContain('data-state="failed"');
    expect(part).toMatch(/<b>11<\/b> <span>API calls served <strong>✕ must be 10/);
  });

  it('plays one scene at a time', async () => {
    const browsers = [await openTour({ signedIn: true }), await openTour({ signedIn: true })];
    await Promise.all(browsers.map((browser) => play(browser, 'tabs')));
    const texts = await Promise.all(browsers.map(async (one) => (await one.get('/tour')).text));
    expect(texts.map((text) => stateOf(text, 'tabs')).sort()).toEqual(['passed', 'stopped']);
  });

  it('plays nothing for another site, without the cookie of its page, or without the CSRF token', async () => {
    const browser = await openTour({ signedIn: true });
    const before = counters();
    const post = (from: Browser, headers = {}) =>
      from.send('POST', '/tour/scenes/expired', { headers });
    expect((await post(browser)).status).toBe(403);
    expect((await post(app.browser(), { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await post(app.browser())).location).toBe('/tour#expired');
    expect((await app.browser().send('POST', '/tour/scenes/none')).status).toBe(404);
    expect(counters()).toEqual(before);
  });

  it('says that there is no sandbox where there is none', async () => {
    const alone = await startTestApp({
      env: { TOUR: 'true', GETBILL_BASE_URL: `http://localhost:${await freePort()}` },
    });
    try {
      const browser = alone.browser();
      await browser.get('/tour');
      await browser.send('POST', '/tour/scenes/replay');
      const { text } = await browser.get('/tour');
      expect(stateOf(text, 'replay')).toBe('stopped');
      expect(text).toContain('No sandbox responds at http://localhost:');
      expect(text).not.toContain('data-flow-live'); // the flow inspector is off
    } finally {
      await alone.close();
    }
  });
});

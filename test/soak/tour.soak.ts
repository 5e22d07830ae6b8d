import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContextOptions, Page, Request } from 'playwright-core';
import { sceneIds, scenes, type SceneId } from '../../src/tour/scenes.js';
import { expectOrder } from '../flow/support/order.js';
import { until } from '../support/until.js';
import { createBrowser } from '../support/browser.js';
import { launchChromium } from '../support/chromium.js';
import { freePort } from '../support/free-port.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { claims, countFrom } from '../tour/support/claims.js';
import { faultsOf, watch } from './support/looks.js';

jest.setTimeout(300_000);

let app: TestApp;
let chromium: Browser;
beforeAll(async () => {
  [app, chromium] = await Promise.all([
    startTestApp({ env: { TOUR: 'true', FLOW_INSPECTOR: 'true' }, faults: { consent: 'ask' } }),
    launchChromium(),
  ]);
}, 30_000);
afterEach(async () => await expectOrder(chromium.contexts(), app));
afterEach(async () => {
  for (const context of chromium.contexts()) await context.close();
});
afterAll(async () => {
  await chromium.close();
  await app.close();
});

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await chromium.newContext({ baseURL: app.publicUrl, ...options });
  const page = await context.newPage();
  await page.goto('/tour');
  return page;
}

const sceneOf = (page: Page, scene: SceneId) => page.locator(`#${scene}`);
const buttonOf = (page: Page, scene: SceneId) => sceneOf(page, scene).locator('form button');
const needsConsent = (scene: SceneId): boolean =>
  scene === 'sign-in' || scene === 'lost' || scene === 'revoked';

/** As a person does: the button, and GetBill's consent where it asks. */
async function play(page: Page, scene: SceneId): Promise<void> {
  await buttonOf(page, scene).click();
  if (needsConsent(scene)) {
    const goOn = sceneOf(page, scene).getByRole('link', { name: /Go on/ });
    const allow = page.locator('button[value=allow]');
    await goOn.or(allow).first().waitFor({ timeout: 20_000 });
    if (await goOn.isVisible()) await goOn.click();
    await allow.click();
    await page.waitForURL(/\/tour/);
  }
  await page.locator(`#${scene}[data-state="passed"], #${scene}[data-state="failed"]`).waitFor();
}

describe('the tour in a browser', () => {
  it.each([true, false])(
    'plays its seven scenes, each true by the counters of the sandbox (scripts: %s)',
    async (javaScriptEnabled) => {
      const page = await open({ javaScriptEnabled });
      const complaints = watch(page, [app.publicUrl, app.sandbox.origin]);
      const { faults } = app.sandbox.control.state();
      for (const scene of sceneIds) {
        const counted = countFrom(app.sandbox);
        await play(page, scene);
        expect([scene, counted()]).toEqual([scene, claims[scene]]);
        const said = await sceneOf(page, scene).locator('.result').innerText();
        expect([scene, said]).toEqual([scene, expect.stringContaining('Passed')]);
      }
      expect(await page.locator('[data-progress]').innerText()).toBe('7 of 7 passed');
      expect(app.sandbox.control.state().faults).toEqual(faults);
      expect(complaints).toEqual([]);
    },
  );

  it('can be played on after the Back button brought it as it was left, in the middle of a scene', async () => {
    const page = await open();
    await page.evaluate(`document.querySelector('.scene').dataset.state = 'running';
      dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))`);
    await page
      .locator('.scene[data-state="running"]')
      .waitFor({ state: 'detached', timeout: 5_000 });
  });

  it('keeps focus and place, and announces the result, when a scene is played by keyboard', async () => {
    const page = await open();
    await play(page, 'sign-in');
    for (const scene of ['expired', 'tabs'] as const) {
      const button = buttonOf(page, scene);
      await button.focus();
      const place = await button.boundingBox();
      await page.keyboard.press('Enter');
      if (scene === 'tabs') await sceneOf(page, scene).getByText('Playing').waitFor();
      await page.locator(`#${scene}[data-state="passed"]`).waitFor();
      const focused = await page.evaluate('document.activeElement.textContent.trim()');
      expect(focused).toBe(await button.innerText());
      expect(await button.boundingBox()).toEqual(place);
    }
    const shown = await sceneOf(page, 'tabs').getByRole('status').innerText();
    expect(shown).toMatch(/Passed[^]*Led by process/);
    await page.locator('.story-card').first().waitFor(); // the flow beside it
  });

  it('tells the flow beside it on, also after the scene that signs a second browser out', async () => {
    const page = await open();
    await play(page, 'sign-in');
    await play(page, 'replay');
    await play(page, 'expired');
    await page.locator('.story-title', { hasText: '/api/company/profile' }).first().waitFor();
    expect(await page.locator('[data-flow-state]').innerText()).toMatch(/^Live/);
  });

  it('tells no step of the flow twice when it is looked at again', async () => {
    const page = await open();
    await play(page, 'sign-in');
    const lastStep = page.locator('.flow-steps > li').last();
    await lastStep.waitFor();
    const isLive = (request: Request): boolean => request.url().includes('/flow/live');
    const turn = (hidden: boolean): Promise<unknown> =>
      page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'))`);
    const closed = page.waitForEvent('requestfailed', { predicate: isLive });
    await turn(true);
    await closed;
    const [opened] = await Promise.all([page.waitForRequest(isLive), turn(false)]);
    expect(opened.url()).toMatch(/[?&]last=\d+/);
  });

  it('has no obstacle in any state, size and colours, and fits 320 px', async () => {
    const page = await open();
    const look = async (state: string): Promise<void> => {
      expect([state, await faultsOf(page)]).toEqual([state, []]);
      await page.emulateMedia({ forcedColors: 'active' });
      const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
      expect([state, violations.map(({ id }) => id)]).toEqual([state, []]);
      await page.emulateMedia({ forcedColors: 'none' });
      await page.setViewportSize({ width: 320, height: 640 });
      const width = await page.evaluate('document.documentElement.scrollWidth');
      expect([state, width]).toEqual([state, 320]);
    };
    await look('before the sign-in');
    await play(page, 'sign-in');
    await play(page, 'expired');
    for (const summary of await page.locator('.lesson summary').all()) await summary.click();
    await look('passed, with the code opened');

    await page.route('**/tour/scenes/revoked', async (route) => {
      const response = await route.fetch();
      const json = (await response.json()) as object;
      await route.fulfill({ response, json: { ...json, goTo: undefined } }); // stays here
    });
    await page.route('**/tour/scenes/limit', () => undefined); // is played for ever
    const other = app.browser();
    await other.signIn();
    const { tokenByGrant } = app.sandbox.control.state().counters;
    await buttonOf(page, 'tabs').click();
    await until('the tabs wait', () => {
      const { refresh_token: now } = app.sandbox.control.state().counters.tokenByGrant;
      return now > tokenByGrant.refresh_token;
    });
    await other.get('/api/company/profile'); // one call too many
    await sceneOf(page, 'tabs').getByText('must be 10').waitFor();
    await buttonOf(page, 'revoked').click();
    await sceneOf(page, 'revoked').getByText('Your turn').waitFor();
    await buttonOf(page, 'limit').click();
    await look('failed, waiting and running');
  });

  it('is walked with Tab alone, and what has the focus is in sight', async () => {
    const page = await open();
    await play(page, 'sign-in');
    await page.goto('/tour');
    const names: string[] = [];
    for (let presses = 0; presses < 60; presses += 1) {
      await page.keyboard.press('Tab');
      const { name, isSeen } = await page.evaluate<{ name: string; isSeen: boolean }>(`(() => {
        const one = document.activeElement;
        const { top, bottom } = one.getBoundingClientRect();
        const isSeen = getComputedStyle(one).outlineStyle !== 'none' && bottom > 0 && top < innerHeight;
        return { name: one.textContent.trim(), isSeen };
      })()`);
      expect([name, isSeen]).toEqual([name, true]);
      names.push(name);
      if (name.startsWith('Open the whole flow')) break;
    }
    const buttons = scenes.map(({ button }) => button);
    expect(names.filter((name) => buttons.includes(name))).toEqual(buttons);
  });

  it('shows no token, code, state, verifier or secret', async () => {
    const page = await open();
    const texts: string[] = [];
    page.on('response', (response) => {
      const { origin, pathname } = new URL(response.url());
      if (origin !== app.publicUrl || !pathname.startsWith('/tour')) return;
      texts.push(JSON.stringify(response.headers()));
      response.text().then((text) => texts.push(text), () => undefined); // prettier-ignore
    });
    app.sandbox.control.clearRequests();
    for (const scene of sceneIds) await play(page, scene);
    texts.push(await page.content());
    const secrets = new Set<string>();
    for (const { url, body, rawHeaders } of app.sandbox.control.requests()) {
      const fields = [...new URL(url, app.publicUrl).searchParams, ...new URLSearchParams(body)];
      for (const [name, value] of fields)
        if (/^(code|code_verifier|state|refresh_token|client_secret)$/.test(name))
          secrets.add(value);
      const bearer = /^(?:Bearer|Basic) (.+)$/.exec(rawHeaders.find((one) => /^B(earer|asic) /.test(one)) ?? ''); // prettier-ignore
      if (bearer?.[1] !== undefined) secrets.add(bearer[1]);
    }
    for (const { name, value } of await page.context().cookies())
      if (name.includes('session')) secrets.add(decodeURIComponent(value));
    expect(secrets.size).toBeGreaterThan(20);
    expect(texts.length).toBeGreaterThan(10);
    const shown = texts.join('\n');
    expect([...secrets].filter((secret) => shown.includes(secret))).toEqual([]);
  });
});

it('a scene can be played all day: no number of plays uses up the limit', async () => {
  const browser = app.browser();
  await browser.signIn();
  await browser.get('/tour');
  const body = new URLSearchParams({ _csrf: await browser.csrfToken() }).toString();
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
  };
  const states: unknown[] = [];
  for (let plays = 0; plays < 30; plays += 1) {
    const { json } = await browser.send('POST', '/tour/scenes/tabs', { headers, body });
    states.push(json['state']);
  }
  expect(new Set(states)).toEqual(new Set(['passed']));
  expect((await browser.get('/dashboard')).status).toBe(200);
});

it('the demo with three processes tells one story, with the process that led and those that waited', async () => {
  const [port, sandboxPort] = [await freePort(), await freePort()];
  const { PATH = '', HOME = '' } = process.env;
  const args = ['--import', 'tsx', 'scripts/demo.ts', '--processes', '3'];
  const demo = spawn(process.execPath, args, {
    env: { PATH, HOME, PORT: String(port), SANDBOX_PORT: String(sandboxPort) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  demo.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  try {
    await until('the demo has started', () => said.includes('Ctrl-C'), { withinMs: 90_000 });
    expect(said).toMatch(/processes +3/);
    const publicUrl = `http://localhost:${port}`;
    const browser = createBrowser({ origin: `http://127.0.0.1:${port}`, publicUrl });
    await browser.get('/tour');
    await browser.signIn();
    const csrf = await browser.csrfToken();
    const play = async (scene: SceneId): Promise<{ state: string; html: string }> => {
      const answer = await browser.send('POST', `/tour/scenes/${scene}`, {
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          accept: 'application/json',
        },
        body: new URLSearchParams({ _csrf: csrf }).toString(),
      });
      return answer.json as { state: string; html: string };
    };
    for (const scene of ['expired', 'limit', 'replay'] as const) {
      const { state, html } = await play(scene);
      expect([scene, state, html]).toEqual([scene, 'passed', expect.any(String)]);
    }
    const { state, html } = await play('tabs');
    expect(state).toBe('passed');
    const [, leader = '', served = ''] =
      /Led by process (\S+)\. The tabs were served by (.*)\./.exec(html) ?? [];
    const tabs = new Map(
      [...served.matchAll(/(\S+) \((\d+)\)/g)].map(([, name, count]) => [name, Number(count)]),
    );
    expect(tabs.size).toBe(3);
    expect(tabs.has(leader)).toBe(true);
    expect([...tabs.values()].reduce((sum, count) => sum + count)).toBe(10);
    expect((await play('lost')).state).toBe('waiting');
  } finally {
    demo.kill('SIGTERM');
    await once(demo, 'exit');
  }
});

import type { Step } from '../../src/flow-inspector/step.js';
import type { AppProcess } from '../process/support/app-process.js';
import { startInstallation, type Installation } from '../process/support/installation.js';
import { createBrowser, type Browser } from '../support/browser.js';
import { until } from '../support/until.js';
import { faultsIn } from './support/check-steps.js';

/** As at a developer's desk: production refuses the inspector. */
const PUBLIC_URL = 'http://localhost:3999';
const inspected = { NODE_ENV: 'development', FLOW_INSPECTOR: 'true', PUBLIC_URL };

/** One browser, whose requests this process serves. */
function at({ origin }: AppProcess, before?: Browser): Browser {
  const browser = createBrowser({ origin, publicUrl: PUBLIC_URL });
  before?.cookies.forEach((value, name) => browser.cookies.set(name, value));
  return browser;
}

const stepsOf = async (browser: Browser): Promise<Step[]> =>
  ((await browser.get('/flow/steps')).json as { steps: Step[] }).steps;

let site: Installation<'one' | 'two' | 'three'>;
beforeAll(async () => {
  const processes = ['one', 'two', 'three'] as const;
  site = await startInstallation({ processes, env: () => inspected, faults: { consent: 'auto' } });
  site.sandbox.control.addRedirectUri(`${PUBLIC_URL}/oauth/callback`);
}, 60_000);
afterAll(() => site.close());

describe('three processes and one browser', () => {
  it('tell one story: who led the renewal, who waited, and everything in order', async () => {
    const { one, two, three } = site.apps;
    const browser = at(one);
    await browser.signIn();
    const tabs = [browser, at(two, browser), at(three, browser)];
    site.sandbox.control.expireAccessTokens();
    site.sandbox.control.set({ token: [{ mode: 'delay', ms: 400, grantType: 'refresh_token' }] });
    const calls = await Promise.all(tabs.map((tab) => tab.get('/api/company/profile')));
    expect(calls.map(({ status }) => status)).toEqual([200, 200, 200]);

    let steps: Step[] = [];
    await until('all processes tell the same, with an end for each request', async () => {
      const told = await Promise.all(tabs.map(stepsOf));
      steps = told[0] ?? [];
      return told.every(({ length }) => length === steps.length) && faultsIn(steps).length === 0;
    });

    const processesOf = (title: RegExp): string[] =>
      steps.filter((step) => title.test(step.title)).map((step) => step.process);
    const leaders = processesOf(/^Access token renewed$/);
    const waiters = processesOf(/^Waited: another process led/);
    expect([leaders.length, waiters.length]).toEqual([1, 2]);
    expect(new Set([...leaders, ...waiters]).size).toBe(3);
    expect(processesOf(/^Refresh request$/)).toEqual(leaders);
    expect(processesOf(/^granted: this process leads$/)).toEqual(leaders);
    expect(processesOf(/^another process has it: this one waits$/).sort()).toEqual(waiters.sort());

    const signIn = steps.filter(({ chain }) => chain === steps[0]?.chain);
    expect(signIn.at(-1)?.title).toBe('303 See Other: to /dashboard');
  }, 30_000);

  it('a sign-in that each step of which another process serves is one story', async () => {
    const { one, two, three } = site.apps;
    const first = at(one);
    const url = await first.startLogin();
    const second = at(two, first);
    const { location } = await second.get(await second.approve(url));
    const third = at(three, second);
    await third.get(location ?? '');
    const steps = await stepsOf(third);
    expect(faultsIn(steps)).toEqual([]);
    expect(new Set(steps.map(({ chain }) => chain)).size).toBe(1);
    expect(new Set(steps.map(({ process }) => process)).size).toBe(3);
  }, 30_000);

  it('an open stream ends at SIGTERM, and the process is gone in time', async () => {
    const four = await site.start('four');
    const browser = at(four);
    await browser.signIn();
    const stream = browser.get('/flow/live?after=999');
    await browser.get('/');
    const startedMs = performance.now();
    four.signal('SIGTERM');
    expect((await stream).headers['content-type']).toContain('text/event-stream');
    expect((await four.exited).code).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  }, 30_000);
});

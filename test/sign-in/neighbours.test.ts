import { createCookies } from '../../src/web/session/cookies.js';
import type { Browser } from '../support/browser.js';
import { isSignedIn } from '../support/sign-in.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

let apps: [TestApp, TestApp];
beforeAll(async () => {
  const first = await startTestApp({ env: { FLOW_INSPECTOR: 'true' } });
  apps = [first, await startTestApp({ env: { FLOW_INSPECTOR: 'true' }, sandbox: first.sandbox })];
});
afterAll(async () => {
  await apps[1].close();
  await apps[0].close();
});

/** One browser: its cookies belong to the host, whatever the port. */
function oneBrowser(): [Browser, Browser] {
  const [first, second] = [apps[0].browser(), apps[1].browser()];
  const send = second.send.bind(second);
  second.send = async (...request) => {
    first.cookies.forEach((value, name) => second.cookies.set(name, value));
    const response = await send(...request);
    first.cookies.clear();
    second.cookies.forEach((value, name) => first.cookies.set(name, value));
    return response;
  };
  return [first, second];
}

describe('two apps on one host name and two ports', () => {
  it('keep their people apart: signing in to one or out of it leaves the other alone', async () => {
    const [first, second] = oneBrowser();
    await first.signIn();
    await second.signIn();
    expect([await isSignedIn(first), await isSignedIn(second)]).toEqual([true, true]);
    expect((await second.signOut()).status).toBe(303);
    expect([await isSignedIn(first), await isSignedIn(second)]).toEqual([true, false]);
  });

  it('finish sign-ins that were started at the same time', async () => {
    const [first, second] = oneBrowser();
    const [one, two] = [await first.startLogin(), await second.startLogin()];
    expect((await first.get(await first.approve(one))).status).toBe(303);
    expect((await second.get(await second.approve(two))).status).toBe(303);
  });
});

describe('the names of cookies', () => {
  const namesAt = (publicUrl: string): string[] => {
    const { attributes, ...names } = createCookies({ publicUrl: new URL(publicUrl) });
    expect(attributes.path).toBe('/');
    return Object.values(names);
  };
  const origins = ['http://localhost:3000', 'http://localhost:3001', 'http://localhost', 'https://localhost', 'https://localhost:8443']; // prettier-ignore

  it('are of one origin each', () => {
    const names = origins.flatMap(namesAt);
    expect(new Set(names).size).toBe(names.length);
  });

  it('keep the __Host- prefix with https, and no port where the scheme says it', () => {
    expect(namesAt('https://localhost:8443')[0]).toBe('__Host-gb-session-8443');
    expect(namesAt('https://localhost:443')[0]).toBe('__Host-gb-session');
  });
});

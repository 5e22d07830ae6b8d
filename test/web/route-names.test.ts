import type { AppEvent } from '../../src/events.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

async function routeOf(send: () => Promise<unknown>): Promise<string | undefined> {
  app.events.length = 0;
  await send();
  const isRequest = (event: AppEvent): event is Extract<AppEvent, { type: 'request_answered' }> =>
    event.type === 'request_answered';
  return app.events.filter(isRequest).at(-1)?.route;
}

describe('a response by middleware', () => {
  it.each([
    ['/api/company/profile', '/api/company/profile'],
    ['/api/debts/17', '/api/debts/{id}'],
    ['/api/no-such-endpoint', '/api'],
    ['/dashboard', '/dashboard'],
    ['/debts/17', '/debts/:id'],
    ['/debts/17/', '/debts/:id'],
    ['/session', '/session'],
    ['/login', '/login'],
    ['/assets/no-such-file.css', '/assets'],
    ['/wp-login.php', 'unmatched'],
    ['/debts/17/more', 'unmatched'],
    ['/Dashboard', 'unmatched'],
  ])('to %s is counted under %s', async (path, route) => {
    expect(await routeOf(() => app.browser().get(path, { accept: 'application/json' }))).toBe(
      route,
    );
  });

  it.each([
    ['POST', '/dashboard', '/dashboard'],
    ['DELETE', '/api/company/profile', '/api'],
    ['POST', '/logout', '/logout'],
  ])('to %s %s is counted under %s', async (method, path, route) => {
    expect(await routeOf(() => fetch(app.origin + path, { method, redirect: 'manual' }))).toBe(
      route,
    );
  });
});

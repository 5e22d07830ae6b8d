import { startTestApp, type TestApp } from './support/test-app.js';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

describe('signing in', () => {
  it('ends on the dashboard with the company', async () => {
    const browser = app.browser();
    const callback = await browser.signIn();
    expect(callback.status).toBe(303);
    expect(callback.location).toBe('/dashboard');
    const dashboard = await browser.get('/dashboard');
    expect(dashboard.status).toBe(200);
    expect(dashboard.text).toContain('Example Collections LLC');
  });
});

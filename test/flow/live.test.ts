import type { TestApp } from '../support/test-app.js';
import { startWatchedApp } from './support/watched-app.js';

let app: TestApp;
beforeAll(async () => {
  app = await startWatchedApp();
});
afterAll(() => app.close());

describe('the stream of steps', () => {
  it('goes on after the step that the browser saw last', async () => {
    const browser = app.browser();
    await browser.signIn();
    const cookie = Array.from(browser.cookies, ([name, value]) => `${name}=${value}`).join('; ');
    const leaving = new AbortController();
    const response = await fetch(`${app.publicUrl}/flow/live?after=1`, { headers: { cookie, 'last-event-id': '10' }, signal: leaving.signal }); // prettier-ignore
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let text = '';
    while (!text.includes('id: 11\n'))
      text += Buffer.from((await reader.read()).value ?? []).toString();
    leaving.abort();
    expect(text).not.toContain('id: 10\n');
  });

  it('is not opened for a browser without a mark, and only so often for one', async () => {
    expect((await app.browser().get('/flow/live')).status).toBe(204);
    const browser = app.browser();
    await browser.get('/flow');
    const cookie = Array.from(browser.cookies, ([name, value]) => `${name}=${value}`).join('; ');
    const leaving = new AbortController();
    const opened = Array.from({ length: 5 }, () =>
      fetch(`${app.publicUrl}/flow/live`, { headers: { cookie }, signal: leaving.signal }),
    );
    const statuses = (await Promise.all(opened)).map(({ status }) => status);
    leaving.abort();
    expect(statuses.sort()).toEqual([200, 200, 200, 200, 204]);
  });
});

import { createMemoryKeyValue } from '../../src/core/index.js';
import type { Draft } from '../../src/flow-inspector/step.js';
import { createStepStore } from '../../src/flow-inspector/step-store.js';
import type { Browser } from '../support/browser.js';
import type { TestApp } from '../support/test-app.js';
import { startWatchedApp } from './support/watched-app.js';

let app: TestApp;
beforeAll(async () => {
  app = await startWatchedApp();
});
afterAll(() => app.close());

/** What the stream has told when `end` is in it. */
async function streamed(browser: Browser, path: string, end: string, headers = {}) {
  const cookie = Array.from(browser.cookies, ([name, value]) => `${name}=${value}`).join('; ');
  const leaving = new AbortController();
  const { signal } = leaving;
  const response = await fetch(app.publicUrl + path, { headers: { cookie, ...headers }, signal });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = '';
  while (!text.includes(end)) {
    const { value, done } = await reader.read();
    if (done) break;
    text += Buffer.from(value).toString();
  }
  leaving.abort();
  return text;
}

const DRAFT: Draft = { kind: 'note', from: 'app', to: 'app', title: 'a step', outcome: 'ok', chain: 'c', topic: 'login', requestId: 'r', oauth: false, details: [] }; // prettier-ignore

describe('the stream of steps', () => {
  it('goes on after the step that the browser saw last', async () => {
    const browser = app.browser();
    await browser.signIn();
    const text = await streamed(browser, '/flow/live?after=1', 'id: 11\n', {
      'last-event-id': '10',
    });
    expect(text).not.toContain('id: 10\n');
  });

  it('gives the first step of a story its card, also when the page has cleared the beginning', async () => {
    const browser = app.browser();
    await browser.signIn();
    const text = await streamed(browser, '/flow/live?after=5', 'id: 8\n');
    const cards = text.split('\n\n').filter((event) => event.includes('"card":'));
    expect(cards).toHaveLength(1);
    expect(cards[0]).toContain('id: 6\n');
  });

  it('goes on after the last step that a page names itself, with the sign-out after it', async () => {
    const browser = app.browser();
    await browser.signIn();
    await browser.signOut();
    const text = await streamed(browser, '/flow/live?after=1&last=10', 'event: end');
    expect(text).toContain('id: 11\n');
    expect(text).not.toContain('id: 10\n');
  });

  it('goes on after the step that the page names where the header names none', async () => {
    const browser = app.browser();
    await browser.signIn();
    const text = await streamed(browser, '/flow/live?last=10', 'id: 11\n', {
      'last-event-id': 'none of ours',
    });
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

  it('ends at once for HEAD', async () => {
    const browser = app.browser();
    await browser.get('/flow');
    const { status, headers } = await browser.send('HEAD', '/flow/live');
    expect([status, headers['content-type']]).toEqual([
      200,
      expect.stringContaining('event-stream'),
    ]);
  });

  it('goes on when something that is no number stands under the key that counts its steps', async () => {
    const keyValue = createMemoryKeyValue();
    const store = createStepStore({ keyValue, now: Date.now });
    await keyValue.set('flow:flow:last', 'text', { ttlMs: Infinity });
    await store.append('flow', DRAFT);
    expect((await store.read('flow', { after: 0 })).map(({ number }) => number)).toEqual([1]);
  });

  it('waits for a step whose number is taken, also right after the one that was seen last', async () => {
    const keyValue = createMemoryKeyValue();
    let nowMs = Date.now();
    const isLate = (key: string): boolean => key.endsWith(':2'); // its process is slow, or has died
    const set: typeof keyValue.set = (key, ...rest) =>
      isLate(key) ? new Promise(() => undefined) : keyValue.set(key, ...rest);
    const store = createStepStore({ keyValue: { ...keyValue, set }, now: () => nowMs });
    const numbersAfter = async (after: number): Promise<number[]> =>
      (await store.read('flow', { after })).map(({ number }) => number);
    await store.append('flow', DRAFT);
    void store.append('flow', DRAFT);
    await store.append('flow', DRAFT);
    expect([await numbersAfter(0), await numbersAfter(1)]).toEqual([[1], []]);
    nowMs += 3_000;
    expect([await numbersAfter(0), await numbersAfter(1)]).toEqual([[1, 3], [3]]);
  });
});

import { createMemoryKeyValue } from '../../src/core/index.js';
import type { Draft } from '../../src/flow-inspector/step.js';
import { createStepStore } from '../../src/flow-inspector/step-store.js';
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

  it('waits for a step whose number is taken, also right after the one that was seen last', async () => {
    const keyValue = createMemoryKeyValue();
    let nowMs = Date.now();
    const isLate = (key: string): boolean => key.endsWith(':2'); // its process is slow, or has died
    const set: typeof keyValue.set = (key, ...rest) =>
      isLate(key) ? new Promise(() => undefined) : keyValue.set(key, ...rest);
    const store = createStepStore({ keyValue: { ...keyValue, set }, now: () => nowMs });
    const draft: Draft = { kind: 'note', from: 'app', to: 'app', title: 'a step', outcome: 'ok', chain: 'c', topic: 'login', requestId: 'r', oauth: false, details: [] }; // prettier-ignore
    const numbersAfter = async (after: number): Promise<number[]> =>
      (await store.read('flow', { after })).map(({ number }) => number);
    await store.append('flow', draft);
    void store.append('flow', draft);
    await store.append('flow', draft);
    expect([await numbersAfter(0), await numbersAfter(1)]).toEqual([[1], []]);
    nowMs += 3_000;
    expect([await numbersAfter(0), await numbersAfter(1)]).toEqual([[1, 3], [3]]);
  });
});

import { edgeCases } from '../../sandbox/api/data/edge-cases.js';
import type { Browser } from '../support/browser.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

let app: TestApp;
let browser: Browser;
beforeAll(async () => {
  app = await startTestApp({ faults: { consent: 'ask' } });
  browser = app.browser();
  await browser.signIn({ company: edgeCases.name });
});
afterAll(() => app.close());

interface Record {
  id: string;
  object: string;
}

function expectHarmless(text: string): void {
  expect(text).not.toMatch(/<script>|<img src=x/);
  expect(text).not.toMatch(/href="\s*javascript:/i);
  expect(text).not.toMatch(/(?![\t\r\n])\p{Cc}/u);
}

it('every page of a company with hostile and broken records is a page, and harmless', async () => {
  for (const path of ['/dashboard', '/debts', '/debts?page=2', '/debts?limit=100', '/connection']) {
    const { status, text } = await browser.get(path);
    expect([path, status]).toEqual([path, 200]);
    expect(text).not.toMatch(/cannot be shown right now|NaN|undefined|\[object Object\]/);
    expectHarmless(text);
  }
  expect((await browser.get('/dashboard')).text).toContain(edgeCases.name);
});

it('every debt of it can be reached by a link with a name, and has a page that says what is odd', async () => {
  const { json } = await browser.get('/api/debts?limit=100');
  const records = json['data'] as Record[];
  const list = (await browser.get('/debts?limit=100')).text;
  for (const { id, object } of records) {
    const link = new RegExp(`<a href="/debts/${id}[^"]*"><bdi>([^<]*)</bdi></a>`).exec(list)?.[1];
    expect([object, link?.trim()]).toEqual([object, expect.stringMatching(/\S/)]);
    const { status, text } = await browser.get(`/debts/${id}`);
    expect([object, status]).toEqual([object, 200]);
    expect(text).toContain(object);
    expect(text).not.toMatch(/NaN|\[object Object\]/);
    expectHarmless(text);
  }
});

it('debts whose ids are no text cost the dashboard nothing', async () => {
  const data = [{ toString: 1 }, null, [], 7].map((id) => ({ id, firstname: 'Ada', followups_count: 1 })); // prettier-ignore
  const body = JSON.stringify({ error: false, data });
  const fault = { mode: 'rawBody', status: 200, contentType: 'application/json', body } as const;
  app.sandbox.control.set({ api: [{ ...fault, path: '/debts', times: 0 }] });
  const other = app.browser();
  await other.signIn({ company: edgeCases.name });
  const { status, text } = await other.get('/dashboard');
  app.sandbox.control.reset();
  expect(status).toBe(200);
  expect(text).toContain('Ada');
});

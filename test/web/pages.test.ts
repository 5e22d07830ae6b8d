import type { ApiFault } from '../../sandbox/faults.js';
import type { Browser } from '../support/browser.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

let app: TestApp;
let browser: Browser;
beforeAll(async () => {
  app = await startTestApp();
  browser = app.browser();
  await browser.signIn();
});
afterAll(() => app.close());
beforeEach(() => app.sandbox.control.reset());

const answer = (path: string, body: unknown): ApiFault => ({
  mode: 'rawBody',
  status: 200,
  contentType: 'application/json',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  path,
});
it('one broken record does not take the list', async () => {
  const good = {
    id: 'good-1',
    firstname: 'Anaïs',
    lastname: 'Çelik',
    amount: '12.50',
    currency: 'EUR',
  };
  const data = [null, good, 7, { id: '\ud800', firstname: '  ', due_date: 20_240_115, status: 7, amount: {} }, JSON.parse('{"__proto__":1,"constructor":2,"toString":3}'), { id: 'later', due_date: '2024-02-30' }]; // prettier-ignore
  app.sandbox.control.set({ api: [answer('/debts', { error: false, data, pagination: { total: '6', page: '1', limit: '20', pages: '1' } })] }); // prettier-ignore
  const { status, text } = await browser.get('/debts');
  expect(status).toBe(200);
  expect(text).toMatch(/<a href="\/debts\/good-1"><bdi>Anaïs Çelik<\/bdi><\/a>[\s\S]*€12\.50/);
  expect(text).toContain('20240115');
  expect(text).toContain('2024-02-30');
  expect(text.match(/No name given/g)).toHaveLength(3);
  expect(text).toContain('2 entries of GetBill’s list cannot be read');
});

it.each(['{"error":false,"data":[]}', '{"error":false,"data":[],"pagination":null}', '{"error":false,"data":[],"pagination":{"total":"0","page":1.0,"limit":null}}'])(
  'a list with odd page numbers is a list: %s',
  async (body) => {
    app.sandbox.control.set({ api: [answer('/debts', body)] });
    const { status, text } = await browser.get('/debts');
    expect([status, text.includes('No debts yet')]).toEqual([200, true]);
  },
); // prettier-ignore

it('a company and a debt of other types are shown as they can be', async () => {
  app.clock.skipMs(61_000);
  const deep = '{"a":'.repeat(2_000) + '1' + '}'.repeat(2_000);
  app.sandbox.control.set({ api: [answer('/company/profile', `{"error":false,"data":{"id":7,"name":["A"],"email":null,"created_at":1705314600,"data":{"x":1},"phone":${deep}}}`)] }); // prettier-ignore
  const dashboard = await browser.get('/dashboard');
  expect([dashboard.status, dashboard.text.includes('1705314600')]).toEqual([200, true]);
  app.sandbox.control.set({ api: [answer('/debts', `{"error":false,"data":{"id":"x","firstname":"\\ud800","summary":${deep}}}`)] }); // prettier-ignore
  expect((await browser.get('/debts/x')).status).toBe(200);
});

it('a page shows the renewal that it has caused', async () => {
  const other = app.browser();
  await other.signIn();
  app.clock.skipMs(600_000); // not issued just now
  expect((await other.get('/dashboard')).text).toContain('Not renewed so far');
  app.clock.skipMs(61_000);
  app.sandbox.control.expireAccessTokens();
  expect((await other.get('/dashboard')).text).toContain('Renewed just now');
  app.clock.skipMs(60_000);
  expect((await other.get('/connection')).text).toContain('Renewed once');
});

describe('after boxes were unticked and a token response that names no scope', () => {
  let other: Browser;
  beforeEach(async () => {
    other = app.browser();
    app.sandbox.control.set({ consent: 'ask', scopeInTokenResponse: 'never' }); // else nothing is unticked
    await other.signIn({ scopes: ['company:read'] });
  });
  const scopesOf = async (): Promise<unknown> => (await other.get('/session')).json['scopes'];

  it('what was asked for is called so, not granted', async () => {
    const { text } = await other.get('/connection');
    expect(text.match(/GetBill did not say/g)).toHaveLength(3);
    expect(text).not.toContain('This app may');
  });

  it('what turns out to be missing is listed nowhere any more, and GetBill is not asked again', async () => {
    expect(await scopesOf()).toContain('debts:read');
    expect((await other.get('/debts')).text).toContain('Not shared with this app.');
    expect(await scopesOf()).not.toContain('debts:read');
    expect((await other.get('/dashboard')).text).not.toContain('See your debts');
    const connection = (await other.get('/connection')).text;
    expect(connection).toMatch(/<tr class="granted-no">\s*<th scope="row">See your debts /);
    const before = app.sandbox.control.state().counters.apiCalls;
    expect((await other.get('/debts')).text).toContain('Not shared with this app.');
    expect((await other.get('/api/debts')).json).toMatchObject({
      error: 'missing_scope',
      scope: 'debts:read',
    });
    expect(app.sandbox.control.state().counters.apiCalls).toBe(before);
  });

  it('it is remembered after a renewal, and when /api met it', async () => {
    await other.get('/debts');
    expect((await other.get('/api/followups')).status).toBe(403);
    app.sandbox.control.expireAccessTokens();
    app.clock.skipMs(61_000);
    await other.get('/dashboard');
    expect(await scopesOf()).toEqual(['company:read']);
  });

  it('a new sign-in starts anew, and a response that names the scopes settles it', async () => {
    app.sandbox.control.set({ scopeInTokenResponse: 'always', consent: 'ask' });
    await other.signOut();
    await other.signIn({ scopes: ['company:read', 'debts:read'] });
    const { text } = await other.get('/dashboard');
    expect(text).toContain('This app may');
    expect(text).toContain('See your debts');
    expect(text).not.toContain('See follow-ups');
  });
});

import type { Page } from 'playwright-core';
import { edgeCases } from '../../sandbox/api/data/edge-cases.js';
import type { ApiFault } from '../../sandbox/faults.js';
import { companyProfiles } from '../../sandbox/api/data/companies.js';
import { faultsOf, SCHEMES, SIZES, watch } from './support/looks.js';
import { startPages, type Pages } from './support/pages.js';
import { sendWebhook } from '../webhooks/support/send-webhook.js';

jest.setTimeout(600_000);

const SECRET = 'the-webhook-secret-of-this-test';
const webhooks = {
  GETBILL_WEBHOOK_SECRET: SECRET,
  GETBILL_WEBHOOK_COMPANY: companyProfiles[0].id,
};
let pages: Pages;
/** In development, where the error page has a word for the developer, and with room for one sign-in a minute. */
let strict: Pages;
beforeAll(async () => {
  pages = await startPages({ faults: { consent: 'ask' }, env: webhooks });
  strict = await startPages({ env: { NODE_ENV: 'development', RATE_LIMIT_LOGIN: '1' } });
}, 60_000);
afterAll(() => Promise.all([pages.close(), strict.close()]));
afterEach(async () => {
  pages.app.sandbox.control.set({ api: [], token: [] });
  await pages.app.services.quota.forget();
});

const known = (): string[] =>
  [pages, strict].flatMap(({ app }) => [app.publicUrl, app.sandbox.origin]);
const checked: string[] = [];

/** Goes to GetBill's page and answers it, with these scopes ticked. */
async function signIn(page: Page, { scopes = ['company:read', 'debts:read', 'followups:read'], returnTo = '/dashboard' } = {}) {
  await page.goto(`/login?returnTo=${encodeURIComponent(returnTo)}`);
  for (const box of await page.locator('input[name=scope]').all()) {
    await box.setChecked(scopes.includes((await box.getAttribute('value')) ?? ''));
  }
  await page.locator('button[value=allow]').click();
  await page.waitForURL(returnTo);
} // prettier-ignore

const breakApi = (...api: ApiFault[]): void => pages.app.sandbox.control.set({ api });
const openAll = async (page: Page): Promise<void> => {
  for (const summary of await page.locator('summary').all())
    if (await summary.isVisible()) await summary.click();
};

const tell = (event: object): Promise<unknown> =>
  sendWebhook(pages.app.origin, { secret: SECRET, event });

type State = readonly [name: string, title: RegExp, arrange: (page: Page) => Promise<unknown>];

const strangers: readonly State[] = [
  ['the landing page', /one sign-in away/, (page) => page.goto('/')],
  ['a page that does not exist', /no such page/, (page) => page.goto('/no-such-page')],
  ['the error codes', /Error codes/, (page) => page.goto('/errors')],
  ['one error code', /In GetBill’s guide/, (page) => page.goto('/errors/invalid_scope')],
  ['a flow without steps', /Flow/, (page) => page.goto('/flow')],
  ['a callback without our cookie', /did not send our cookie/, (page) => page.goto('/oauth/callback?code=x&state=y')],
  ['a sign-in link that was used', /already used/, async (page) => {
    await page.goto('/login');
    await page.goto('/oauth/callback?code=x&state=y');
  }],
  ['a denied consent', /did not give access/, async (page) => {
    await page.goto('/login');
    await page.locator('button[value=deny]').click();
  }],
  ['its trace in the flow', /Flow/, async (page) => {
    await page.goto('/flow');
    await openAll(page);
  }],
]; // prettier-ignore

const partly: readonly State[] = [
  ['a dashboard without its scope', /Dashboard/, (page) => signIn(page, { scopes: ['debts:read'] })],
  ['a debt without the scope of its follow-ups', /€|\d/, async (page) => {
    await page.goto('/debts');
    await page.locator('.list a').first().click();
    await page.getByText('followups:read').waitFor();
  }],
]; // prettier-ignore

const signedIn: readonly State[] = [
  ['a connection whose quota is unknown', /Connection/, (page) => signIn(page, { scopes: ['company:read'], returnTo: '/connection' })],
  ['debts without their scope', /Debts/, (page) => page.goto('/debts')],
  ['events before any has come in', /Nothing has come in yet/, async (page) => {
    await page.goto('/dashboard');
    await page.goto('/events');
  }],
]; // prettier-ignore

const whole: readonly State[] = [
  ['the dashboard', /LLC/, (page) => signIn(page)],
  ['a dashboard with parts that fail', /Your company cannot be shown right now/, async (page) => {
    breakApi({ mode: 'status', status: 500, path: '/company', times: 0 });
    await page.goto('/dashboard');
  }],
  ['events, and the line that says that one has come in', /changed just now/, async (page) => {
    await tell({ type: 'debt.updated', data: { id: 'd1' } });
    await tell({ type: 'debt.updated', data: { id: 'd2' } });
    await tell({ type: 'report.generated', data: {} });
    await page.goto('/events');
    await tell({ type: 'payment.received', data: { id: 'p1' } });
    await page.getByText('changed just now').waitFor();
  }],
  ['the landing page', /one sign-in away/, (page) => page.goto('/')],
  ['the connection', /Connection/, (page) => page.goto('/connection')],
  ['debts with the filter open', /Debts/, async (page) => {
    await page.goto('/debts?page=2');
    await openAll(page);
  }],
  ['no debts in a state', /No debts with this status/, (page) => page.goto('/debts?status=of.my.own')],
  ['a page behind the last', /There is no page/, (page) => page.goto('/debts?page=9999')],
  ['no debts at all', /No debts yet/, async (page) => {
    const body = JSON.stringify({ error: false, data: [], pagination: { page: 1, limit: 20, total: 0, pages: 0 } });
    breakApi({ mode: 'rawBody', status: 200, contentType: 'application/json', body });
    await page.goto('/debts');
  }],
  ['a debt', /€|\d/, async (page) => {
    await page.goto('/debts');
    await page.locator('.list a').first().click();
    await page.waitForURL(/\/debts\/./);
  }],
  ['the flow, all opened', /Flow/, async (page) => {
    await page.goto('/flow');
    await openAll(page);
  }],
  ['a list whose answer cannot be used', /Debts[^]*unexpected response/, async (page) => {
    breakApi({ mode: 'html', status: 200 });
    await page.goto('/debts');
  }],
  ['a debt whose answer cannot be used', /unexpected response/, async (page) => {
    breakApi({ mode: 'html', status: 200 });
    await page.goto('/debts/d1');
  }],
  ['a token that is dead while GetBill cannot renew it', /GetBill has a problem/, async (page) => {
    pages.app.sandbox.control.expireAccessTokens();
    pages.app.sandbox.control.set({ token: [{ mode: 'status', status: 503, times: 0 }] });
    await page.goto('/debts');
  }],
  ['the same on a page that is nothing without it', /GetBill has a problem/, async (page) => {
    await page.goto('/debts/d1');
  }],
  ['a form with an old token', /could not verify this form/, async (page) => {
    await page.goto('/');
    await page.evaluate(`document.querySelector('[name=_csrf]').value = 'old'`);
    await page.getByRole('button', { name: 'Sign out' }).click();
  }],
  ['after signing out', /one sign-in away/, async (page) => {
    await page.goto('/');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out here').waitFor();
  }],
]; // prettier-ignore

const limited: readonly State[] = [
  ['a list that GetBill is slow to give', /You can try again in 2 minutes/, async (page) => {
    await signIn(page);
    breakApi({ mode: 'rateLimited', retryAfterS: 120 });
    await page.goto('/debts');
  }],
]; // prettier-ignore

describe('whoever needs a screen reader, strong colours or a small window', () => {
  it.each([
    ['has not signed in', strangers],
    ['gave access to debts only', partly],
    ['gave access to the company only', signedIn],
    ['gave access to everything', whole],
    ['used up the limit of GetBill', limited],
  ] as const)('meets no obstacle: somebody who %s', async (_name, states) => {
    const page = await pages.open();
    const complaints = watch(page, known());
    for (const [name, title, arrange] of states) {
      await arrange(page);
      expect([name, await page.locator('main').innerText()]).toEqual([
        name,
        expect.stringMatching(title),
      ]);
      expect([name, await faultsOf(page)]).toEqual([name, []]);
      checked.push(name);
    }
    expect(complaints).toEqual([]);
  });

  it('meets no obstacle on pages whose records are hostile, extreme and broken', async () => {
    const page = await pages.open();
    const complaints = watch(page, known());
    await page.goto('/login');
    await page.getByLabel(edgeCases.name).check();
    await page.locator('button[value=allow]').click();
    await page.waitForURL('/dashboard');
    const answer = await page.request.get('/api/debts?limit=100');
    const { data } = (await answer.json()) as { data: { id: string; object: string }[] };
    const wanted = ['HTML in the name', 'A long word without a place to break', 'Everything null'];
    const debts = data.filter(({ object }) => wanted.includes(object));
    expect(debts).toHaveLength(wanted.length);
    for (const path of [
      '/dashboard',
      '/debts?limit=50',
      ...debts.map(({ id }) => `/debts/${id}`),
    ]) {
      await page.goto(path);
      expect([path, await faultsOf(page)]).toEqual([path, []]);
      checked.push(path);
    }
    expect(complaints).toEqual([]);
  });

  it('meets no obstacle on the page of our own limit, with its word for the developer', async () => {
    const page = await strict.open();
    const complaints = watch(page, known());
    await strict.signIn(page);
    await page.context().clearCookies();
    expect((await page.goto('/login'))?.status()).toBe(429);
    expect(await page.locator('main').innerText()).toContain('For the developer');
    expect(await faultsOf(page)).toEqual([]);
    expect(complaints).toEqual([]);
    console.log(
      `${checked.length + 1} states, each in ${SCHEMES.join(' and ')} at ${SIZES.join(' and ')} px`,
    );
  });
});

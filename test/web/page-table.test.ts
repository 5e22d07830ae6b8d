import { pages } from '../../src/web/pages/pages.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const webhooks = {
  GETBILL_WEBHOOK_SECRET: 'the-webhook-secret-of-this-test',
  GETBILL_WEBHOOK_COMPANY: 'company-1',
};
const scopes = new Set(['company:read', ...pages.flatMap(({ scope }) => scope ?? [])]);
let app: TestApp;
beforeAll(async () => {
  const env = { GETBILL_SCOPES: [...scopes].join(' '), FLOW_INSPECTOR: 'true', TOUR: 'true' };
  app = await startTestApp({ env: { ...env, ...webhooks } });
});
afterAll(() => app.close());

/** Their forms post to the page itself. */
const FORMS = ['/explorer/:operation'];
const rows = pages.map((page) => ({
  ...page,
  url: page.path.replaceAll(/:\w+/g, 'd1'),
  methods: FORMS.includes(page.path) ? 'GET, HEAD, POST' : 'GET, HEAD',
}));

describe.each(rows)('the page $path of the table', ({ url, methods, label, isPublic = false }) => {
  it('is there, for those who are signed in', async () => {
    const browser = app.browser();
    await browser.signIn();
    expect([200, 404]).toContain((await browser.get(url)).status); // "d1" may be nobody's debt
  });

  it('asks whoever is not signed in to sign in, and comes back to it', async () => {
    const browser = app.browser();
    const { status, location } = await browser.get(url);
    if (isPublic) expect(status).toBe(200);
    else expect([status, location]).toEqual([302, `/login?returnTo=${encodeURIComponent(url)}`]);
    expect((await browser.signIn({ returnTo: url })).location).toBe(url);
  });

  it('answers other methods 405', async () => {
    const { status, headers } = await app.browser().send('PUT', url);
    expect([status, headers['allow']]).toEqual([405, methods]);
  });

  it('is in the navigation under its label', async () => {
    const browser = app.browser();
    await browser.signIn();
    const { text } = await browser.get('/connection');
    const nav = /<nav aria-label="Main">[\s\S]*?<\/nav>/.exec(text)?.[0] ?? '';
    const links = [
      ...nav.matchAll(/<a href="([^"]+)"(?: aria-current="\w+")?>([^<]+)<\/a><\/li>/g),
    ];
    const found = links.find(([, href]) => href === url)?.[2];
    expect(found).toBe(label);
  });
});

it('a page whose scope the app never asks for has no link', async () => {
  const lean = await startTestApp({ env: { GETBILL_SCOPES: 'company:read' } });
  try {
    const browser = lean.browser();
    await browser.signIn();
    const { text } = await browser.get('/connection');
    expect(text).toContain('<a href="/dashboard">Dashboard</a>');
    expect(text).not.toContain('href="/debts"');
  } finally {
    await lean.close();
  }
});

import { readFileSync } from 'node:fs';
import { errorCatalogue, errorHref, findError } from '../../src/web/pages/error-catalogue.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ env: { NODE_ENV: 'development' } });
});
afterAll(() => app.close());

const html = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&#34;').replaceAll("'", '&#39;'); // prettier-ignore

describe('an error code', () => {
  it.each(errorCatalogue.map((entry) => [entry.code, entry]))(
    '%s has a page, and a document that says the same',
    async (code, { cause, fix, title, why, advice, guide }) => {
      const { status, text } = await app.browser().get(`/errors/${code}`);
      expect(status).toBe(200);
      const document = readFileSync(`docs/errors/${code}.md`, 'utf8');
      for (const part of [cause, fix, title, why, advice, ...(guide?.solutions ?? [])]) {
        expect(text).toContain(html(part));
        expect(document.replaceAll('\\', '')).toContain(part);
      }
    },
  );

  it('that nobody knows is 404, whatever it is made of', async () => {
    for (const code of ['nothing', 'constructor', '__proto__', 'a%2Fb', '%3Cscript%3E', 'authorization_x']) {
      expect((await app.browser().get(`/errors/${code}`)).status).toBe(404);
    }
  }); // prettier-ignore

  it('of the authorization endpoint leads to the one of the token endpoint', async () => {
    const { status, location } = await app.browser().get('/errors/authorization_invalid_scope');
    expect([status, location]).toEqual([301, '/errors/invalid_scope']);
    expect(findError('authorization_access_denied')?.code).toBe('access_denied');
    expect(findError('authorization_failed')?.code).toBe('authorization_failed');
  });

  it.each(['invalid_client', 'invalid_scope', 'invalid_grant', 'redirect_uri_mismatch'])(
    '%s comes with the troubleshooting of the guide',
    async (code) => {
      expect((await app.browser().get(`/errors/${code}`)).text).toContain('In GetBill’s guide');
    },
  );

  it('is in the index, for people who have not signed in', async () => {
    const { status, text } = await app.browser().get('/errors');
    expect(status).toBe(200);
    for (const { code } of errorCatalogue) expect(text).toContain(`href="/errors/${code}"`);
  });
});

describe('an error leads to the page of its code', () => {
  it('as doc_url in JSON, under PUBLIC_URL', async () => {
    const { json } = await app.browser().get('/api/debts', { accept: 'application/json' });
    expect(json).toMatchObject({
      error: 'not_signed_in',
      doc_url: `${app.publicUrl}/errors/not_signed_in`,
    });
    expect(errorHref('of_another_version')).toBeUndefined();
  });

  it('from the word to the developer', async () => {
    const { text } = await app.browser().get('/oauth/callback?code=x&state=y');
    expect(text).toContain('<a href="/errors/login_cookie_missing">');
  });
});

describe('the button does what the advice says', () => {
  it('a limit that holds for long says until when, and leads elsewhere', async () => {
    const browser = app.browser();
    await browser.signIn();
    app.sandbox.control.set({ api: [{ mode: 'rateLimited', retryAfterS: 1_800, path: '/debts' }] });
    const { text } = await browser.get('/debts/d1');
    expect(text).toContain('You can try again in 30 minutes.');
    expect(text).not.toContain('>Try again<');
    expect(text).not.toContain('Trying again');
    await app.services.quota.forget();
  });
});

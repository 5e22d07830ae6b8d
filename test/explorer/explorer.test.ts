import type { Browser } from '../support/browser.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const SCOPES = 'company:read debts:read debts:write followups:read';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

let app: TestApp;
let browser: Browser;
let csrf: string;
let callsBefore = 0;
beforeAll(async () => {
  app = await startTestApp({ env: { GETBILL_SCOPES: SCOPES, GETBILL_TIMEOUT_MS: '20000' } });
});
afterAll(() => app.close());
beforeEach(async () => {
  app.sandbox.control.reset();
  await app.services.quota.forget();
  callsBefore = allCalls().length;
  browser = app.browser();
  await browser.signIn();
  csrf = await browser.csrfToken();
});

const post = (slug: string, fields: Record<string, string> = {}) =>
  browser.send('POST', `/explorer/${slug}`, {
    headers: FORM,
    body: new URLSearchParams({ _csrf: csrf, ...fields }).toString(),
  });
const confirmationIn = (text: string): string =>
  /name="confirmation" value="([^"]+)"/.exec(text)?.[1] ?? '';
/** What came to the API of the sandbox, as it came. */
const calls = () => allCalls().slice(callsBefore);
const allCalls = () =>
  app.sandbox.control.requests().filter(({ url }) => url.startsWith('/external-api/'));
const headingOf = (text: string): string =>
  (/<h2 id="response"[^>]*>([\s\S]*?)<\/h2>/.exec(text)?.[1] ?? '').replaceAll(/<[^>]+>/g, '');
const breakApi = (fault: object): void => app.sandbox.control.set({ api: [fault as never] });

describe('the API explorer', () => {
  it('sends a read with the parameters of its form, and shows status, headers, body and quota', async () => {
    const { status, text } = await post('get-debts', { limit: '2', page: '', status: '' });
    expect([status, headingOf(text)]).toEqual([200, 'Response: 200 OK']);
    expect(calls().at(-1)?.url).toBe('/external-api/v1/debts?limit=2');
    expect(text).toContain('<code>x-ratelimit-remaining</code>');
    expect(text).toMatch(/Reads: \d+ of 1,000 left/);
    expect(text).toMatch(/\n {2}&#34;pagination&#34;: \{/);
    expect(text).toMatch(/href="\/explorer\/get-debts-id\?id=[\w-]+"/);
  });

  it('takes 10 kB of JSON, which are three times as many characters in a form', async () => {
    const quotes = JSON.stringify({ notes: '"'.repeat(4_900) });
    const { status, text } = await post('post-debts', { body: quotes });
    expect([quotes.length > 9_800, status, headingOf(text)]).toEqual([
      true,
      200,
      'Send this to GetBill?',
    ]);
    expect((await post('post-debts', { body: `"${'a'.repeat(50_000)}"` })).status).toBe(413);
  });

  it('shows what a new form asks for to its end', async () => {
    const { text } = await browser.get('/explorer/get-debts');
    const limit = /name="limit" value="(\d+)"/.exec(text)?.[1] ?? '';
    expect((await post('get-debts', { limit })).text).not.toContain('characters are shown');
  });

  it('passes nothing on that is no parameter of the operation', async () => {
    await post('get-debts', { limit: '2', search: 'x', id: '../company/profile', body: '{}' });
    expect(calls().at(-1)).toMatchObject({ method: 'GET', url: '/external-api/v1/debts?limit=2' });
  });

  it('shows the same call as curl, fetch and command line, with $ACCESS_TOKEN', async () => {
    const { text } = await post('get-debts', { limit: '2', status: "it's" });
    expect(text).toContain('Bearer $ACCESS_TOKEN');
    expect(text).toContain('/api/debts?limit=2&amp;status=it%27s');
    expect(text).toContain('npm run getbill -- call GET ');
  });

  it.each([
    ['', 'Fill in the id'],
    ['../company/profile', 'letters, digits'],
    ['by-debtor/1', 'letters, digits'],
  ])('sends nothing for the id "%s"', async (id, why) => {
    const before = calls().length;
    const { status, text } = await post('get-debts-id', { id });
    expect([status, calls().length]).toEqual([400, before]);
    expect(text).toMatch(/aria-invalid="true"/);
    expect(text).toContain(why);
  });

  it('is filled in with an id by its link, and with nothing else', async () => {
    expect((await browser.get('/explorer/get-debts-id?id=abc_1')).text).toContain('value="abc_1"');
    expect((await browser.get('/explorer/get-debts-id?id=%22%3E%3Cb')).text).not.toContain('<b>');
  });

  it('does not know another operation', async () => {
    expect((await browser.get('/explorer/get-payments')).status).toBe(404);
    expect((await post('get-payments')).status).toBe(404);
  });
});

describe('a write', () => {
  const body = JSON.stringify({ status: 'status.default.on_hold' });
  const listed = async (): Promise<string> => {
    const { json } = await browser.get('/api/debts?limit=1');
    return (json['data'] as { id: string }[])[0]?.id ?? '';
  };
  const writes = () => calls().filter(({ method }) => method !== 'GET');

  it('is sent after a confirmation, exactly as it was confirmed', async () => {
    const id = await listed();
    const asked = await post('put-debts-id', { id, body });
    expect([headingOf(asked.text), writes()]).toEqual(['Send this to GetBill?', []]);
    const confirmation = confirmationIn(asked.text);
    const { text } = await post('put-debts-id', { id, body, confirmation });
    expect(headingOf(text)).toBe('Response: 200 OK');
    expect(writes()).toMatchObject([{ method: 'PUT', body }]);
  });

  it('is sent once per confirmation: a reload or a second click sends nothing', async () => {
    const fields = { id: await listed(), body };
    const confirmation = confirmationIn((await post('put-debts-id', fields)).text);
    const both = await Promise.all([
      post('put-debts-id', { ...fields, confirmation }),
      post('put-debts-id', { ...fields, confirmation }),
    ]);
    expect(both.map(({ text }) => headingOf(text)).sort()).toEqual([
      'Response: 200 OK',
      'Send this to GetBill?',
    ]);
    expect(writes()).toHaveLength(1);
    const again = await post('put-debts-id', { ...fields, confirmation });
    expect(again.text).toContain('Nothing was sent.');
    expect(writes()).toHaveLength(1);
  });

  it.each([
    ['another body', { body: '{"status":"status.default.paid"}' }],
    ['another id', { id: 'other' }],
  ])('is not sent with the confirmation of %s', async (_name, changed) => {
    const fields = { id: await listed(), body };
    const confirmation = confirmationIn((await post('put-debts-id', fields)).text);
    await post('put-debts-id', { ...fields, ...changed, confirmation });
    expect(writes()).toEqual([]);
  });

  it('is not sent with the confirmation of another session, operation, or none that we made', async () => {
    const fields = { id: await listed(), body };
    const confirmation = confirmationIn((await post('put-debts-id', fields)).text);
    await post('delete-debts-id', { ...fields, confirmation });
    await post('put-debts-id', { ...fields, confirmation: 'yes' });
    const other = confirmationIn((await post('put-debts-id', fields)).text);
    browser = app.browser();
    await browser.signIn();
    csrf = await browser.csrfToken();
    await post('put-debts-id', { ...fields, confirmation: other });
    expect(writes()).toEqual([]);
  });

  it('is not even asked for without the CSRF token', async () => {
    csrf = 'wrong';
    const { status, text } = await post('put-debts-id', { id: 'x', body });
    expect(status).toBe(403);
    expect(text).toContain('could not verify this form');
  });

  it('with a body that is no JSON is not sent, and the text stays in the form', async () => {
    const { status, text } = await post('post-debts', { body: '{"a":1,}' });
    expect(status).toBe(400);
    expect(text).toContain('This is not valid JSON');
    expect(text).toContain('{&#34;a&#34;:1,}</textarea>');
  });
});

describe('without the permission', () => {
  const REPORTS =
    'href="/login?again=1&amp;scope=reports%3Aread&amp;returnTo=%2Fexplorer%2Fget-reports"';
  it('an operation says which one it needs, and asks for it from there', async () => {
    const { text } = await browser.get('/explorer/get-reports');
    expect(text).toContain(REPORTS);
    expect(text).not.toContain('>Send<');
    const { status } = await post('get-reports');
    expect(status).toBe(403);
    expect(calls().filter(({ url }) => url.includes('reports'))).toEqual([]);
  });

  it('comes back to the operation once it is given', async () => {
    app.sandbox.control.set({ scopeInTokenResponse: 'always' });
    const { location = '' } = await browser.get(
      '/login?again=1&scope=reports%3Aread&returnTo=%2Fexplorer%2Fget-reports',
      { 'sec-fetch-site': 'same-origin' },
    );
    const answer = await browser.get(await browser.approve(location));
    expect(answer.location).toBe('/explorer/get-reports');
    expect((await browser.get('/explorer/get-reports')).text).toContain('>Send<');
  });

  it('that GetBill turned out not to have given, the response offers to ask for it', async () => {
    const message = 'Required scope "debts:read" not found in token';
    breakApi({ mode: 'status', status: 403, body: { error: true, message, code: 403 } });
    const { text } = await post('get-debts');
    expect(headingOf(text)).toBe('Response: 403 Forbidden');
    expect(text).toContain('/login?again=1&amp;scope=debts%3Aread');
  });
});

describe('when GetBill fails', () => {
  it.each([
    ['has a problem', { mode: 'status', status: 503 }, 502, 'getbill_error'],
    ['sends a page', { mode: 'html', status: 200 }, 502, 'answer_not_json'],
    ['hangs up', { mode: 'drop', times: 0 }, 502, 'getbill_unreachable'],
  ])('because it %s, the explorer shows what /api responds', async (_name, fault, status, code) => {
    breakApi(fault);
    const answer = await post('get-debts');
    expect(answer.status).toBe(status);
    expect(headingOf(answer.text)).toContain(String(status));
    expect(answer.text).toContain(code);
    expect(answer.text).toContain('not of GetBill');
  });

  it('its own error is shown as it came, with what to wait', async () => {
    breakApi({ mode: 'rateLimited', retryAfterS: 120 });
    const first = await post('get-debts');
    expect([first.status, headingOf(first.text)]).toEqual([200, 'Response: 429 Too Many Requests']);
    expect(first.text).toContain('<dt><code>retry-after</code></dt><dd><code>120</code></dd>');
    const second = await post('get-debts'); // not asked again
    expect([second.status, second.headers['retry-after']]).toEqual([429, '120']);
    expect(calls()).toHaveLength(1);
  });

  it.each([
    ['of 10 MiB', { mode: 'huge', bytes: 10 * 1024 * 1024 }],
    ['of 40 KiB', { mode: 'rawBody', status: 200, contentType: 'application/json', body: JSON.stringify({ data: 'x"'.repeat(15_000) }) }],
    ['nested 20,000 times', { mode: 'rawBody', status: 200, contentType: 'application/json', body: '['.repeat(20_000) + ']'.repeat(20_000) }],
  ])('a body %s leaves the page small', async (_name, fault) => {
    breakApi(fault);
    const { status, text } = await post('get-debts');
    expect(status).toBe(200);
    expect(text.length).toBeLessThan(40_000);
    expect(text).toMatch(/characters are shown[\s\S]*href="\/api\/debts"/);
  }); // prettier-ignore

  it('markup in a body stays text', async () => {
    const body = '{"name":"</pre><script>alert(1)</script>","n":12345678901234567890}';
    breakApi({ mode: 'rawBody', status: 200, contentType: 'application/json', body });
    const { text } = await post('get-debts');
    expect(text).not.toContain('<script>alert');
    expect(text).toContain('&lt;/pre&gt;&lt;script&gt;alert(1)');
    expect(text).toContain('12345678901234567890');
  });

  it('a body in UTF-16 is read as such', async () => {
    const body = Buffer.from('{"name":"Hélène"}', 'utf16le').toString('base64');
    const contentType = 'application/json; charset=utf-16le';
    breakApi({ mode: 'rawBody', status: 200, contentType, body, base64: true });
    expect((await post('get-debts')).text).toContain('&#34;Hélène&#34;');
  });

  it('an access token in a body or a header is not shown', async () => {
    await post('get-debts');
    const token = /Bearer ([^"]+)/.exec(JSON.stringify(calls().at(-1)))?.[1] ?? '';
    expect(token.length).toBeGreaterThan(20);
    const body = JSON.stringify({ echoed: token });
    const contentType = `application/json; for=${token}`;
    breakApi({ mode: 'rawBody', status: 200, contentType, body });
    const { text } = await post('get-debts');
    expect(text).not.toContain(token);
    expect(text).toContain('&#34;echoed&#34;: &#34;$ACCESS_TOKEN&#34;');
    expect(text).toContain('application/json; for=$ACCESS_TOKEN');
  });
});

it('spends the same limit as /api', async () => {
  const lean = await startTestApp({ env: { RATE_LIMIT_API: '3' } });
  try {
    browser = lean.browser();
    await browser.signIn();
    csrf = await browser.csrfToken();
    await browser.get('/api/debts?limit=1');
    await browser.get('/api/debts?limit=1');
    expect((await post('get-debts')).status).toBe(200);
    const { status, text } = await post('get-debts');
    expect([status, text.includes('That was a lot of requests')]).toEqual([429, true]);
    expect((await browser.get('/api/debts')).status).toBe(429);
    expect((await browser.get('/explorer/get-debts')).status).toBe(200); // looking costs nothing
  } finally {
    await lean.close();
  }
});

it('a form whose session has ended leads to the sign-in, and back to its page', async () => {
  browser.cookies.clear();
  const { status, text } = await post('get-debts');
  expect(status).toBe(401);
  expect(text).toContain('href="/login?returnTo=%2Fexplorer%2Fget-debts"');
  const script = { ...FORM, accept: 'text/html', 'sec-fetch-mode': 'cors' };
  const told = await browser.send('POST', '/explorer/get-debts', { headers: script, body: '' });
  expect([told.status, told.json['error']]).toEqual([401, 'not_signed_in']);
});

it.each(['/explorer', '/explorer/get-debts', '/explorer/post-debts'])(
  '%s is a page of less than 14 KB',
  async (path) => {
    expect((await browser.get(path)).text.length).toBeLessThan(14_000);
  },
);

import type { Answer, Browser } from '../support/browser.js';
import { sessionIdOf, paramOf } from '../support/sign-in.js';
import {
  CLIENT_SECRET,
  SESSION_SECRET,
  startTestApp,
  TOKEN_ENCRYPTION_KEY,
  type TestApp,
} from '../support/test-app.js';
import { startProduction, type Production } from './support/production.js';

jest.setTimeout(90_000);

/** Everything that left the app: each answer whole, by what was asked. */
interface Seen {
  request: string;
  headers: string;
  body: string;
}

const seen: Seen[] = [];
const dumps: string[] = [];
/** What must stay on the server, by kind. */
const secrets = new Map<string, Set<string>>();
/** Csrf tokens and session ids, which one browser alone may hold: in its pages or `/session`, and in its cookie. */
const csrfTokens = new Set<string>();
const sessionIds = new Set<string>();

let site: Production;
let app: TestApp;

function learn(kind: string, value: string | null | undefined): void {
  if (value === null || value === undefined || value.length < 8) return;
  secrets.set(kind, (secrets.get(kind) ?? new Set()).add(value));
}

/** A browser whose every answer is kept. */
function watched(): Browser {
  const browser = app.browser();
  const send = browser.send.bind(browser);
  browser.send = async (method, path, options) => {
    const answer: Answer = await send(method, path, options);
    seen.push({ request: `${method} ${path.split('?')[0] ?? ''}`, headers: JSON.stringify(answer.headers), body: answer.text }); // prettier-ignore
    for (const [, token] of answer.text.matchAll(/(?:name="_csrf" value="|"csrfToken":")([^"]+)"/g)) csrfTokens.add(token ?? ''); // prettier-ignore
    if (sessionIdOf(browser) !== '') sessionIds.add(sessionIdOf(browser));
    return answer;
  };
  return browser;
}

const start = async (browser: Browser, returnTo?: string): Promise<string> => {
  const url = await browser.startLogin(returnTo);
  learn('state', paramOf(url, 'state'));
  return url;
};

async function signIn(browser: Browser): Promise<Answer> {
  return await browser.get(await browser.approve(await start(browser, '/debts?page=1')));
}

const write = (
  browser: Browser,
  path: string,
  headers: Record<string, string> = {},
  body = '',
): Promise<Answer> =>
  browser.send('POST', path, {
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body,
  });

const keepDump = async (): Promise<void> => void dumps.push(await site.redis.dump());

async function scenario(): Promise<void> {
  const { control } = app.sandbox;
  const pages = ['/', '/dashboard', '/debts', '/debts/unknown', '/connection', '/session', '/api/company/profile', '/api/debts', '/api/nothing', '/nowhere', '/healthz', '/readyz']; // prettier-ignore

  // Sign-ins: whole, denied, malformed, replayed, refused, answered oddly.
  const browser = watched();
  const url = await start(browser);
  await keepDump();
  const callback = await browser.approve(url);
  for (const change of ['&code=twice', '&error=x', '&access_token=x']) await browser.get(callback.replace('state=', `x=1${change}&state=`)); // prettier-ignore
  for (const broken of ['', '?code=x', '?code=x&state=', '?error=access_denied', '?code[]=x&state=y', '?state=%00&code=%ff']) await browser.get(`/oauth/callback${broken}`); // prettier-ignore
  await watched().get(callback);
  await browser.get(callback);
  await browser.get(callback);
  const denying = watched();
  await denying.get(await denying.approve(await start(denying), { decision: 'deny' }));
  const body = { access_token: 'CANARY-odd-access-token', refresh_token: 'CANARY-odd-refresh-token', token_type: 'Bearer', expires_in: 3600 }; // prettier-ignore
  for (const odd of [JSON.stringify({ ...body, token_type: 'mac' }), JSON.stringify(body).slice(0, -10), `<html>${JSON.stringify(body)}`, JSON.stringify({ error: 'invalid_grant', error_description: JSON.stringify(body) }), JSON.stringify({ ...body, expires_in: -5 }), JSON.stringify({ ...body, access_token: { x: body.access_token } })]) {
    for (const status of [200, 400, 500]) {
      control.set({ token: [{ mode: 'rawBody', status, contentType: 'application/json', body: odd, times: 1 }] });
      const other = watched();
      await signIn(other);
      await other.get('/dashboard');
    }
  } // prettier-ignore
  for (const token of [body.access_token, body.refresh_token])
    learn('token of an odd answer', token);

  // Use, renewal, rejected tokens, errors of GetBill.
  for (const path of pages) await browser.get(path);
  for (const times of [1, 2]) {
    control.expireAccessTokens();
    await Promise.all(pages.map((path) => browser.get(path)));
    app.clock.skipMs(times * 600_000);
  }
  app.clock.skipMs(3_601_000);
  await Promise.all(['/dashboard', '/api/debts', '/session'].map((path) => browser.get(path)));
  await keepDump();
  for (const fault of [{ mode: 'html' }, { mode: 'unauthorized', times: 2 }, { mode: 'drop' }, { mode: 'errorIn200', code: 403 }, { mode: 'redirect', status: 302, location: 'https://evil.example/' }] as const) {
    control.set({ api: [fault] });
    for (const path of ['/dashboard', '/debts', '/api/debts']) await browser.get(path);
  } // prettier-ignore
  control.set({ api: [], token: [{ mode: 'status', status: 400, body: { error: 'invalid_client' }, times: 2 }, { mode: 'garbage' }, { mode: 'drop' }] }); // prettier-ignore
  for (let times = 0; times < 4; times += 1) {
    control.expireAccessTokens();
    await browser.get('/api/debts');
    app.clock.skipMs(40_000);
  }
  control.set({ token: [] });

  // Refusals.
  const token = await browser.csrfToken();
  await write(browser, '/logout', {}, '_csrf=wrong');
  await write(browser, `/logout?_csrf=${encodeURIComponent(token)}`);
  await write(browser, '/logout', { origin: 'https://evil.example', 'x-csrf-token': token });
  await write(
    browser,
    '/logout',
    { 'content-type': 'application/json' },
    JSON.stringify({ _csrf: token }),
  );
  await write(
    browser,
    '/api/debts',
    { 'content-type': 'application/json', 'x-csrf-token': token },
    '{"a":',
  );
  await browser.get('/login', { 'sec-fetch-dest': 'iframe' });
  await browser.get('/dashboard', { 'x-forwarded-proto': 'http' });
  await browser.get('/session', { 'sec-fetch-site': 'cross-site' });
  site.redis.pause();
  for (const path of ['/dashboard', '/session', '/login']) await browser.get(path);
  site.redis.resume();

  // The ends: signed out, refused, expired.
  const refused = watched();
  await signIn(refused);
  control.revokeGrants();
  await refused.get('/dashboard');
  await refused.get('/api/debts');
  const last = watched();
  await signIn(last);
  await last.get('/dashboard');
  await keepDump();
  await last.signOut();
  await last.get('/');
  await app.services.tokens.idle();
  await keepDump();
}

/** From what the app has sent to GetBill, and from its configuration. */
function learnFromGetbill({ sandbox }: TestApp): void {
  for (const { url, body, rawHeaders } of sandbox.control.requests()) {
    if (url.startsWith('/oauth/token')) {
      const form = new URLSearchParams(body);
      for (const name of ['code', 'code_verifier', 'refresh_token']) learn(name, form.get(name));
    }
    for (const value of rawHeaders) learn('access token', /^Bearer (.+)$/.exec(value)?.[1]);
  }
  learn('client secret', CLIENT_SECRET);
  learn('session secret', SESSION_SECRET);
  learn('encryption key', TOKEN_ENCRYPTION_KEY);
  learn('encryption key', Buffer.from(TOKEN_ENCRYPTION_KEY, 'base64').toString('latin1'));
}

/** A text in the spellings in which it may hide. Base64 in all three alignments, without the characters its neighbours share. */
function spellings(text: string): string[] {
  const base64 = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)]).toString('base64').replaceAll('=', '');
    return encoded.slice(shift === 0 ? 0 : shift + 1, -2);
  }); // prettier-ignore
  const hex = Buffer.from(text).toString('hex');
  const everyByte = hex.replaceAll(/../g, '%$&');
  return [...new Set([text, ...base64, ...base64.map((one) => one.replaceAll('+', '-').replaceAll('/', '_')), hex, hex.toUpperCase(), encodeURIComponent(text), everyByte, JSON.stringify(text).slice(1, -1)])]; // prettier-ignore
}

/** Which of the values are in which of the texts. */
function hits(
  values: Iterable<string>,
  texts: readonly { where: string; text: string }[],
): string[] {
  const needles = [...values].flatMap(spellings);
  return texts.flatMap(({ where, text }) => needles.filter((needle) => text.includes(needle)).map((needle) => `${where}: ${needle}`)); // prettier-ignore
}

let everywhere: { where: string; text: string }[];
beforeAll(async () => {
  site = await startProduction({ faults: { consent: 'ask', accessTokenLifetimeS: 3600 } });
  ({ app } = site);
  await scenario();
  learnFromGetbill(app);
  const answers = seen.flatMap(({ request, headers, body }) => [
    // A redirect to GetBill has to have the state; nothing else does.
    {
      where: `headers of ${request}`,
      text: headers.replace(/"location":"[^"]*\/oauth\/authorize\?[^"]*"/, ''),
    },
    { where: `body of ${request}`, text: body },
  ]);
  everywhere = [
    ...answers,
    { where: 'the log', text: app.logged() },
    ...dumps.map((text) => ({ where: 'Redis', text })),
  ];
});
afterAll(() => site.close());

describe('in everything the app has answered, logged and stored', () => {
  it('there is enough to search through and to search for', () => {
    expect(seen.length).toBeGreaterThan(100);
    expect(app.logged().split('\n').length).toBeGreaterThan(200);
    expect(dumps.join('\n')).toMatch(/grant:/);
    const least = { state: 20, code: 10, code_verifier: 10, refresh_token: 4, 'access token': 6 };
    for (const [kind, count] of Object.entries(least)) expect([kind, (secrets.get(kind)?.size ?? 0) >= count]).toEqual([kind, true]); // prettier-ignore
    expect(csrfTokens.size).toBeGreaterThan(5);
    expect(sessionIds.size).toBeGreaterThanOrEqual(3);
  });

  it.each(['state', 'code', 'code_verifier', 'refresh_token', 'access token', 'token of an odd answer', 'client secret', 'session secret', 'encryption key'])(
    '[B01] [B02] [G02] there is no %s, raw, in base64, in hex or URL-encoded',
    (kind) => {
      expect(hits(secrets.get(kind) ?? [], everywhere)).toEqual([]);
    },
  ); // prettier-ignore

  it('[B01] [G02] a CSRF token is in pages and /session only, never in a header, the log or Redis', () => {
    const elsewhere = everywhere.filter(({ where }) => !where.startsWith('body of GET '));
    expect(hits(csrfTokens, elsewhere)).toEqual([]);
    const notPages = everywhere.filter(({ where }) =>
      /^body of GET \/(api|healthz|readyz|login|oauth)/.test(where),
    );
    expect(hits(csrfTokens, notPages.filter(({ text }) => !text.startsWith('<!doctype')))).toEqual([]); // prettier-ignore
  });

  it('[G02] a session id is in its own cookie and in the name of its record only', () => {
    const elsewhere = everywhere.filter(({ where }) => where !== 'Redis').map(({ where, text }) => ({ where, text: text.replaceAll(/__Host-gb-session=s%3A[^;"]+/g, '') })); // prettier-ignore
    expect(hits(sessionIds, elsewhere)).toEqual([]);
    const values = dumps.map((text) => ({
      where: 'Redis',
      text: text.replaceAll(/^getbill:[\w-]{8}:sess:\S+/gm, ''),
    }));
    expect(hits(sessionIds, values)).toEqual([]);
  });

  it('[A19] no call of GetBill was ever made with the power of the app itself', () => {
    const grants = app.sandbox.control.requests().filter(({ url }) => url.startsWith('/oauth/token')).map(({ body }) => new URLSearchParams(body).get('grant_type')); // prettier-ignore
    expect([...new Set(grants)].sort()).toEqual(['authorization_code', 'refresh_token']);
  });

  it('[G02] nor in the flow inspector, whatever happened to its browser', async () => {
    const inspected = await startTestApp({
      env: { FLOW_INSPECTOR: 'true' },
      faults: { consent: 'ask' },
    });
    const { control } = inspected.sandbox;
    const browser = inspected.browser();
    const held = new Set<string>();
    const keep = (): void =>
      browser.cookies.forEach((value) => value.length > 20 && held.add(decodeURIComponent(value)));
    const enter = async (choice = {}): Promise<string> => {
      const url = await start(browser, '/debts?page=1');
      keep();
      const callback = await browser.approve(url, choice);
      await browser.get(callback);
      keep();
      return callback;
    };
    await browser.get(await enter());
    held.add(await browser.csrfToken());
    for (const path of ['/dashboard', '/debts', '/session', '/api/debts']) await browser.get(path);
    control.expireAccessTokens();
    await browser.get('/dashboard');
    await write(browser, '/logout', {}, '_csrf=wrong');
    await browser.signOut();
    await browser.get((await enter({ decision: 'deny' })).replace('error=', 'code='));
    await enter();
    control.revokeGrants();
    await browser.get('/debts');
    learnFromGetbill(inspected);
    const shown = ['/flow', '/flow/steps'].map(async (where) => ({
      where,
      text: (await browser.get(where)).text,
    }));
    const texts = await Promise.all(shown);
    await inspected.close();

    const { steps } = JSON.parse(texts[1]?.text ?? '') as { steps: unknown[] };
    expect(steps.length).toBeGreaterThan(30);
    expect(held.size).toBeGreaterThan(5);
    expect(hits([...secrets.values()].flatMap((values) => [...values]), texts)).toEqual([]); // prettier-ignore
    const form = texts.map(({ where, text }) => ({
      where,
      text: text.replaceAll(/name="_csrf" value="[^"]*"/g, ''),
    }));
    expect(hits(held, form)).toEqual([]);
  });

  it('the search finds what it should, in every spelling', () => {
    const text = 'CANARY-to-be-found-1234567890';
    for (const hidden of [text, Buffer.from(`x${text}yz`).toString('base64'), Buffer.from(`xy${text}z`).toString('base64url'), Buffer.from(text).toString('hex'), encodeURIComponent(text)]) {
      expect(hits([text], [{ where: 'here', text: `...${hidden}...` }]).length).toBeGreaterThan(0);
    } // prettier-ignore
  });
});

import { sourceOf } from '../../src/web/source-code.js';
import type { Step } from '../../src/flow-inspector/step.js';
import { noteOf } from '../../src/flow-inspector/notes.js';
import { durationText, rowsOf } from '../../src/flow-inspector/rows.js';
import { topics } from '../../src/flow-inspector/topics.js';
import { pages } from '../../src/web/pages/pages.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { faultsIn } from './support/check-steps.js';
import { linesOf, startWatchedApp, stepsOf } from './support/watched-app.js';

let app: TestApp;
beforeAll(async () => {
  app = await startWatchedApp({ env: { GETBILL_TIMEOUT_MS: '10000' } });
});
afterAll(() => app.close());

describe('the flow inspector', () => {
  it('shows a sign-in from /login to the dashboard as one story, in the order in which it happened', async () => {
    const browser = app.browser();
    const { location } = await browser.signIn();
    await browser.get(location ?? '');
    const steps = await stepsOf(browser);
    expect(linesOf(steps)).toEqual([
      'browser -> app GET /login',
      'app -> redis Keep the pending sign-in',
      'redis --> app stored',
      'app --> browser 302 Found: to GetBill, with state and challenge',
      'browser -> getbill Authorization request',
      'getbill --> browser Back to the app with code and state',
      'browser -> app GET /oauth/callback',
      'app -> redis Take the pending sign-in, once',
      'redis --> app taken, and gone from now on',
      'app -> getbill Code exchange',
      'getbill --> app 200 OK',
      'app -> redis Keep the tokens, encrypted',
      'redis --> app stored',
      'app -> redis Write the session',
      'redis --> app stored',
      'note Signed in',
      'app --> browser 303 See Other: to /dashboard',
      'browser -> app GET /dashboard',
      ...linesOf(steps.slice(18, -1)),
      'app --> browser 200 OK',
    ]);
    expect(linesOf(steps)).toContain('app -> getbill GET /company/profile');
    expect(new Set(steps.map(({ chain }) => chain)).size).toBe(1);
  });

  it('says which request a response belongs to where calls run side by side, and nowhere else', async () => {
    const browser = app.browser();
    const { location } = await browser.signIn();
    await browser.get(location ?? '');
    const rows = rowsOf(await stepsOf(browser));
    const calls = rows.filter(({ step }) =>
      /^(app getbill|getbill app)$/.test(`${step.from} ${step.to}`),
    );
    const replies = calls.filter(({ step }) => step.kind === 'response');
    const [codeExchange, ...sideBySide] = replies;
    expect(codeExchange?.aside).toBe('');
    expect(sideBySide.length).toBeGreaterThan(3);
    for (const { step, aside } of sideBySide) {
      const before = calls[calls.findIndex((row) => row.step === step) - 1]?.step;
      const isNext = before?.number === step.replyTo;
      expect([step.number, aside]).toEqual([step.number, isNext ? '' : `reply to ${step.replyTo}`]);
    }
    expect(rows.at(-1)?.aside).toBe('');
    const page = await browser.get('/flow');
    expect(page.text).toContain(`200 OK <small>${sideBySide[0]?.aside}</small>`);
  });

  it('shows a rejected token, its renewal with the reason, the call sent again, and the sign-out', async () => {
    const browser = app.browser();
    await browser.signIn();
    const after = (await stepsOf(browser)).at(-1)?.number ?? 0;
    app.sandbox.control.expireAccessTokens();
    await browser.get('/debts');
    await browser.signOut();
    const lines = linesOf(await stepsOf(browser, { after }));
    expect(lines.filter((line) => !/redis/.test(line))).toEqual([
      'browser -> app GET /debts',
      'app -> getbill GET /debts',
      'getbill --> app 401 Unauthorized: the access token is rejected',
      'note Renewal: the API rejected the access token',
      'app -> getbill Refresh request',
      'getbill --> app 200 OK',
      'note Access token renewed',
      'note Sent again with the newer token',
      'app -> getbill GET /debts',
      'getbill --> app 200 OK',
      'app --> browser 200 OK',
      'browser -> app GET /',
      'app --> browser 200 OK',
      'browser -> app POST /logout',
      'note Session ended: signed out',
      'app --> browser 303 See Other: to /',
    ]);
    expect(lines).toContain('redis --> app granted: this process leads');
  });

  it('shows a denied consent, which has no session', async () => {
    app.sandbox.control.set({ consent: 'ask' });
    const browser = app.browser();
    await browser.get(await browser.approve(await browser.startLogin(), { decision: 'deny' }));
    app.sandbox.control.set({ consent: 'auto' });
    const lines = linesOf(await stepsOf(browser));
    expect(lines).toContain('getbill --> browser Back to the app with an error');
    expect(lines).toContain('note Sign-in ended: authorization_access_denied');
  });

  it('tells a renewal that nobody waits for as a story of its own', async () => {
    app.sandbox.control.set({ accessTokenLifetimeS: 90 });
    const browser = app.browser();
    await browser.signIn();
    app.sandbox.control.set({ accessTokenLifetimeS: 3_600 });
    const after = (await stepsOf(browser)).at(-1)?.number ?? 0;
    app.clock.skipMs(75_000);
    await browser.get('/connection');
    await app.services.tokens.idle();
    const steps = await stepsOf(browser, { after });
    const renewal = steps.find(({ title }) => title === 'Renewal in the background');
    const page = steps.find(({ title }) => title === 'GET /connection');
    expect(renewal).toBeDefined();
    expect(renewal?.chain).not.toBe(page?.chain);
    const lines = linesOf(steps.filter(({ chain }) => chain === renewal?.chain));
    expect(lines).toContain('app -> getbill Refresh request');
  });

  it('masks equal secrets equally, and different ones differently', async () => {
    const browser = app.browser();
    await browser.signIn();
    app.sandbox.control.expireAccessTokens();
    await browser.get('/debts');
    const steps = await stepsOf(browser);
    const bodyOf = (title: string, kind = 'request'): string => {
      const request = steps.find((step) => step.title === title);
      const response = steps.find(({ replyTo }) => replyTo === request?.number);
      return (kind === 'request' ? request : response)?.message?.body ?? '';
    };
    const hashOf = (name: string, body: string): string =>
      new RegExp(`"?${name}"?(?:=|: ")(••••[\\w-]{8})`).exec(body)?.[1] ?? `no ${name} in ${body}`;
    const issued = hashOf('refresh_token', bodyOf('Code exchange', 'response'));
    const spent = hashOf('refresh_token', bodyOf('Refresh request'));
    const rotated = hashOf('refresh_token', bodyOf('Refresh request', 'response'));
    expect(spent).toBe(issued);
    expect(rotated).not.toBe(issued);
    const bearers = steps
      .filter(({ title }) => title === 'GET /debts')
      .flatMap(
        ({ message }) => message?.headers.filter(([name]) => name === 'authorization') ?? [],
      );
    expect(bearers.map(([, value]) => value)).toEqual([
      `Bearer ${hashOf('access_token', bodyOf('Code exchange', 'response'))}`,
      `Bearer ${hashOf('access_token', bodyOf('Refresh request', 'response'))}`,
    ]);
    const callback = steps.find(({ title }) => title === 'GET /oauth/callback')?.message?.start;
    expect(callback).toContain(`code=${hashOf('code', bodyOf('Code exchange'))}`);
  });

  it("shows nobody another browser's traffic", async () => {
    await app.browser().signIn();
    const { json } = await app.browser().get('/flow/steps');
    expect(json).toEqual({ steps: [] });
  });

  it('holds no token, code, verifier or state', async () => {
    app.sandbox.control.clearRequests();
    const browser = app.browser();
    const authorizeUrl = await browser.startLogin();
    await browser.get(await browser.approve(authorizeUrl));
    await browser.get('/dashboard');
    const steps = await stepsOf(browser);
    const panels = await Promise.all(
      steps.map(async ({ number }) => (await browser.get(`/flow/steps/${number}`)).text),
    );
    const shown =
      (await browser.get('/flow')).text + (await browser.get('/flow/steps')).text + panels.join('');
    const state = new URL(authorizeUrl).searchParams.get('state') ?? '';
    const sent = app.sandbox.control.requests().flatMap(({ body, rawHeaders }) => [
      ...Array.from(new URLSearchParams(body))
        .filter(([name, value]) => value.length > 20 && name !== 'redirect_uri')
        .map(([, value]) => value),
      ...rawHeaders.filter((value) => value.startsWith('Bearer ')).map((value) => value.slice(7)),
    ]);
    expect(sent.length).toBeGreaterThan(3);
    expect([state, ...sent].filter((secret) => shown.includes(secret))).toEqual([]);
  });

  it('shows a message as HTTP writes it: an empty line parts the headers from the body', async () => {
    const browser = app.browser();
    await browser.signIn();
    const exchange = (await stepsOf(browser)).find(({ title }) => title === 'Code exchange');
    const { text } = await browser.get(`/flow/steps/${String(exchange?.number)}`);
    expect(text).toMatch(/<i>content-type:<\/i> [^\n]+\n(<i>[^\n]+\n)*\ncode=/);
  });

  it('gives the steps after a number, for polling', async () => {
    const browser = app.browser();
    await browser.signIn();
    const { steps } = (await browser.get('/flow/steps')).json as { steps: { number: number }[] };
    const last = steps.at(-1)?.number ?? 0;
    expect((await browser.get(`/flow/steps?after=${last}`)).json).toEqual({ steps: [] });
    await browser.get('/dashboard');
    const { steps: more } = (await browser.get(`/flow/steps?after=${last}`)).json as {
      steps: { number: number }[];
    };
    expect(more[0]?.number).toBe(last + 1);
  });

  it('is absent, records nothing and sets no cookie, while it is switched off', async () => {
    const off = await startTestApp();
    const written: string[] = [];
    const { keyValue } = off.services;
    const increment = keyValue.increment.bind(keyValue);
    keyValue.increment = (key, options) => {
      written.push(key);
      return increment(key, options);
    };
    const browser = off.browser();
    await browser.signIn();
    for (const path of ['/flow', '/flow/steps', '/flow/live', '/flow/steps/1', '/flow/stories/x']) {
      expect([path, (await browser.get(path)).status]).toEqual([path, 404]);
    }
    expect([...browser.cookies.keys()].filter((name) => name.includes('flow'))).toEqual([]);
    expect(written.filter((key) => key.startsWith('flow:'))).toEqual([]);
    await off.close();
  });

  it('takes no mark for a browser that it did not make itself', async () => {
    const browser = app.browser();
    const [name = ''] = [...(await signedInMarks())];
    browser.cookies.set(name, `${'A'.repeat(22)}.${'A'.repeat(22)}`);
    await browser.get('/dashboard');
    expect(await stepsOf(browser)).toEqual([]);
    async function signedInMarks(): Promise<string[]> {
      const other = app.browser();
      await other.startLogin();
      return [...other.cookies.keys()].filter((key) => key.includes('flow'));
    }
  });

  it('names functions that exist, and shows their lines', () => {
    for (const [name, topic] of Object.entries(topics)) {
      if (!('code' in topic)) continue;
      const { lines } = sourceOf(topic.code);
      expect([name, topic.code, lines.includes(topic.code.symbol)]).toEqual([
        name,
        topic.code,
        true,
      ]);
    }
  });

  it.each([
    ['the page', '/debts/d1', 'GET /debts/{id}'],
    ['the box', '/debts', 'GET /debts'],
  ])(
    'links %s of an error to the step that failed, and names the call to the developer',
    async (_name, path, call) => {
      const strict = await startWatchedApp({ env: { NODE_ENV: 'development' } });
      const browser = strict.browser();
      await browser.signIn();
      strict.sandbox.control.set({ api: [{ mode: 'html', status: 503 }] });
      const { text, status } = await browser.get(path);
      expect(status).toBe(502);
      expect(text).toContain('<a href="/errors/getbill_error">');
      expect(text.replace(/after \d+ ms/, 'after N ms')).toContain(
        `${call} responded 503 text/html after N ms (getbill_error)`,
      );
      const link = /href="(\/flow\?request=[^"#]+)#here"/.exec(text)?.[1] ?? '';
      const page = await browser.get(link);
      expect(page.text).toMatch(/<li id="here" class="response failed from-getbill to-app/);
      expect(page.text).toContain('HTTP/1.1 503 Service Unavailable');
      await strict.close();
    },
  );
});

describe('the checker of steps', () => {
  const step = (number: number, more: Partial<Step>): Step => ({ number, atMs: 1, kind: 'request', from: 'browser', to: 'app', title: 't', outcome: 'ok', chain: 'c', process: 'p', topic: 'page', requestId: 'r', oauth: false, details: [], ...more }); // prettier-ignore
  const response = { kind: 'response', from: 'app', to: 'browser' } as const;
  const call = { from: 'app', to: 'getbill' } as const;

  it.each<[string, Step[]]>([
    ['an order that goes back', [step(2, {}), step(1, { ...response, replyTo: 2 })]],
    ['a response to nothing', [step(1, { ...response, replyTo: 7 })]],
    ['a response in another story', [step(1, {}), step(2, { ...response, replyTo: 1, chain: 'd' })]],
    ['a call without an end', [step(1, {}), step(2, call), step(3, { ...response, replyTo: 1 })]],
    ['a call after the response', [step(1, {}), step(2, { ...response, replyTo: 1 }), step(3, call), step(4, { kind: 'response', from: 'getbill', to: 'app', replyTo: 3 })]],
    ['a note between two', [step(1, { kind: 'note' })]],
  ])('finds %s', (_name, steps) => {
    expect(faultsIn(steps)).not.toEqual([]);
  }); // prettier-ignore
});

describe('the mark of a browser', () => {
  it('is kept for an hour after it was used last, not after it was set', async () => {
    const browser = app.browser();
    const markIn = ({ setCookies }: { setCookies: string[] }) =>
      setCookies.find((cookie) => cookie.startsWith('gb-flow'));
    const first = markIn(await browser.get('/flow'));
    expect(first).toMatch(/Max-Age=3600/);
    const valueOf = (cookie = '') => cookie.split(';')[0];
    expect(valueOf(markIn(await browser.get('/flow')))).toBe(valueOf(first));
  });
});

it('a sign-in to which GetBill grants more than was asked for is a sign-in', async () => {
  const scope = 'company:read debts:read debts:write followups:read';
  app.sandbox.control.set({ token: [{ mode: 'body', override: { scope } }] });
  const browser = app.browser();
  await browser.signIn();
  expect(linesOf(await stepsOf(browser))).toContain('note GetBill granted more than was asked for');
  expect((await browser.get('/flow')).text).toContain('<span class="story-title">Sign-in</span>');
});

it('an error code that repeats a secret is masked in the title of its step', async () => {
  const browser = app.browser();
  const path = await browser.approve(await browser.startLogin());
  const code = (new URL(path, app.publicUrl).searchParams.get('code') ?? '').slice(0, 40);
  app.sandbox.control.set({ token: [{ mode: 'status', status: 400, body: { error: code } }] });
  await browser.get(path);
  const steps = await stepsOf(browser);
  const { title } = steps.find((step) => step.title.startsWith('400')) ?? {};
  expect([code.length > 20, title]).toEqual([true, expect.stringMatching(/^400 Bad Request/)]);
  expect(JSON.stringify(steps)).not.toContain(code);
});

it.each(['authorization_code', 'refresh_token', 'revocation'] as const)(
  'a client secret that was rejected is noted beside its call: %s',
  (grantType) => {
    expect(noteOf({ type: 'client_secret_fallback', grantType })?.topic).toBe(grantType);
  },
);

it('a page is called in the flow what its link is called', async () => {
  const browser = app.browser();
  await browser.signIn();
  const linked = pages.filter(({ label, setting }) => label !== undefined && !setting);
  for (const { path } of linked) await browser.get(path);
  const { text } = await browser.get('/flow');
  const titles = [...text.matchAll(/<span class="story-title">([^<]*)</g)].map((match) => match[1]);
  const labels = linked.slice(1).map(({ label }) => label); // the first one ends the sign-in
  expect(titles.reverse()).toEqual(['Sign-in', ...labels]);
});

it.each([
  [0.2, '1 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [9_940, '9.9 s'],
  [9_960, '10 s'],
  [10_010, '10 s'],
])('%d ms of a message are %s', (ms, text) => expect(durationText(ms)).toBe(text));

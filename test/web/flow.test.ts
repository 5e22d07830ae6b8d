import { cookieNames } from '../support/sign-in.js';
import { readFileSync } from 'node:fs';
import { flowStepOf } from '../../src/flow-inspector/steps.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ env: { FLOW_INSPECTOR: 'true' } });
});
afterAll(() => app.close());

const titlesIn = (text: string): string[] =>
  Array.from(text.matchAll(/<summary>([^<]+)/g), ([, title = '']) => title.trim());

describe('the flow inspector', () => {
  it('shows sign-in, code exchange, API call, a renewal with its reason, and sign-out', async () => {
    const browser = app.browser();
    await browser.signIn();
    await browser.get('/dashboard');
    app.sandbox.control.expireAccessTokens();
    await browser.get('/debts');
    await browser.signOut();
    const titles = titlesIn((await browser.get('/flow')).text);
    for (const title of [
      'Authorization request',
      'Code exchange: ok',
      'GET /company/profile: 200',
      'GET /debts: 401',
      'Refresh request: ok',
      'Access token renewed',
      'Sent again with the newer token',
      'Session ended: signed_out',
    ]) {
      expect(titles).toContain(title);
    }
  });

  it('shows a denied consent, which has no session', async () => {
    app.sandbox.control.set({ consent: 'ask' });
    const browser = app.browser();
    await browser.get(await browser.approve(await browser.startLogin(), { decision: 'deny' }));
    app.sandbox.control.set({ consent: 'auto' });
    expect(titlesIn((await browser.get('/flow')).text)).toContain('Sign-in ended: authorization_access_denied');
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
    const shown = (await browser.get('/flow')).text + (await browser.get('/flow/steps')).text;
    const state = new URL(authorizeUrl).searchParams.get('state') ?? '';
    const sent = app.sandbox.control
      .requests()
      .flatMap(({ body, rawHeaders }) => [
        ...Array.from(new URLSearchParams(body).values()).filter((value) => value.length > 20),
        ...rawHeaders.filter((value) => value.startsWith('Bearer ')).map((value) => value.slice(7)),
      ]);
    expect(sent.length).toBeGreaterThan(3);
    expect([state, ...sent].filter((secret) => shown.includes(secret))).toEqual([]);
  });

  it('gives the steps after a number, for polling', async () => {
    const browser = app.browser();
    await browser.signIn();
    const { steps } = (await browser.get('/flow/steps')).json as { steps: { number: number }[] };
    const last = steps.at(-1)?.number ?? 0;
    expect((await browser.get(`/flow/steps?after=${last}`)).json).toEqual({ steps: [] });
    await browser.get('/dashboard');
    const { steps: more } = (await browser.get(`/flow/steps?after=${last}`)).json as { steps: { number: number }[] };
    expect(more[0]?.number).toBe(last + 1);
  });

  it('is absent, and sets no cookie, while it is switched off', async () => {
    const off = await startTestApp();
    const browser = off.browser();
    await browser.signIn();
    expect((await browser.get('/flow')).status).toBe(404);
    expect([...browser.cookies.keys()]).not.toContain(cookieNames(off).flow);
    await off.close();
  });

  it('names files and functions that exist', () => {
    const source = readFileSync('src/flow-inspector/steps.ts', 'utf8');
    const places = [...source.matchAll(/file: '([^']+)', symbol: '([^']+)'/g)];
    expect(places.length).toBeGreaterThan(8);
    for (const [, file = '', symbol = ''] of places) {
      expect(readFileSync(`src/${file}`, 'utf8')).toMatch(new RegExp(`export (async )?function ${symbol}\\b`));
    }
    expect(flowStepOf({ type: 'session_expired' })).toBeUndefined();
  });
});

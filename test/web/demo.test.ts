import { defaultFaults } from '../../sandbox/faults.js';
import { startSandbox } from '../../sandbox/sandbox.js';
import { until } from '../support/until.js';
import { freePort } from '../support/free-port.js';
import { startTestApp } from '../support/test-app.js';

it('an app that has used up five reads of an hour is usable again when the sandbox is reset', async () => {
  const port = await freePort();
  const appUrl = `http://localhost:${port}`;
  const sandbox = await startSandbox({ appUrl, faults: { consent: 'auto' } });
  const app = await startTestApp({ sandbox, port, env: { FLOW_INSPECTOR: 'true' } });
  const change = (operation: string, method: string, body: object) =>
    fetch(`${sandbox.origin}/_sandbox/${operation}`, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }); // prettier-ignore
  try {
    const browser = app.browser();
    await browser.signIn();
    await change('faults', 'PATCH', { limitReads: 5, limitWindowS: 3600 });
    const statuses: number[] = [];
    for (let page = 0; page < 7; page += 1) statuses.push((await browser.get('/debts')).status);
    expect(statuses.at(-1)).toBe(429);
    expect((await browser.get('/debts')).text).toMatch(/You can try again in \d+ minutes/);
    await change('reset', 'POST', {});
    expect((await browser.get('/debts')).status).toBe(200);

    await change('faults', 'PATCH', { api: [{ mode: 'rateLimited', retryAfterS: 3600 }] });
    expect((await browser.get('/debts')).status).toBe(429); // GetBill's, then ours
    expect((await browser.get('/debts')).status).toBe(429);
    await change('reset', 'POST', {});
    expect((await browser.get('/debts')).status).toBe(200);

    for (let calls = 0; calls < 300; calls += 20)
      await Promise.all(Array.from({ length: 20 }, () => browser.get('/api/debts?limit=1')));
    expect((await browser.get('/debts')).text).toMatch(/Your company has used its share/);
    await change('reset', 'POST', {});
    const after = [await browser.get('/debts'), await browser.get('/debts')];
    expect(after.map(({ status }) => status)).toEqual([200, 200]); // the second knows GetBill's limit again

    const foreign = { origin: 'https://elsewhere.example' };
    expect((await browser.send('POST', '/demo/forget-limits', { headers: foreign })).status).toBe(
      403,
    );
  } finally {
    await app.close();
    await sandbox.close();
  }
});

it('whatever was broken, the reset of the panel makes the demo usable again', async () => {
  const port = await freePort();
  const appUrl = `http://localhost:${port}`;
  const sandbox = await startSandbox({ appUrl });
  const app = await startTestApp({
    sandbox,
    port,
    env: { FLOW_INSPECTOR: 'true', GETBILL_SCOPES: 'company:read debts:read debts:write' },
  });
  const change = (operation: string, method: string, body: object) =>
    fetch(`${sandbox.origin}/_sandbox/${operation}`, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }); // prettier-ignore
  try {
    const before = app.browser();
    await before.signIn();
    const [debt] = (await before.get('/api/debts?limit=1')).json['data'] as { id: string }[];
    const session = (await before.get('/session')).json;
    const headers = { 'x-csrf-token': String(session['csrfToken']) };
    await before.send('DELETE', `/api/debts/${debt?.id ?? ''}`, { headers });
    expect((await before.get('/api/debts?limit=1')).json['pagination']).toMatchObject({
      total: 1246,
    });
    for (const mode of ['hang', 'drop', 'unauthorized'])
      expect((await change('faults', 'PATCH', { api: [{ mode, times: 0 }] })).status).toBe(200);
    await change('faults', 'PATCH', {
      token: [{ mode: 'hold', times: 0 }],
      revokeFault: [{ mode: 'hang', times: 0 }],
      clockOffsetMs: 300_000,
      limitReads: 0,
      limitWrites: 0,
      accessTokenLifetimeS: 10,
      createStatus: 200,
    });
    await change('revoke-grants', 'POST', {});
    await change('client', 'POST', { active: false, secrets: ['another-secret'], scopes: [] });
    await change('webhooks', 'PUT', { url: `${appUrl}/nothing`, secret: 's', companyId: 'c' });
    const held = fetch(`${sandbox.origin}/oauth/token`, { method: 'POST' }).catch(() => undefined);
    await until('the call is held', () => sandbox.control.state().held === 1);

    expect((await change('reset', 'POST', {})).status).toBe(200);
    await held;
    const { counters, held: stillHeld, client, faults } = sandbox.control.state();
    expect([counters.apiCalls, counters.tokenCalls, stillHeld, client.active]).toEqual([
      0,
      0,
      0,
      true,
    ]);
    expect(faults).toEqual(defaultFaults);
    expect(sandbox.control.requests()).toEqual([]);
    expect(sandbox.webhooks.target()).toBeUndefined();
    const after = app.browser();
    await after.signIn();
    const page = await after.get('/dashboard');
    expect([page.status, page.text.includes('<strong>1,247</strong>')]).toEqual([200, true]);
    const again = await before.get('/debts', { accept: 'text/html' });
    expect([again.status, again.location]).toEqual([302, '/login?returnTo=%2Fdebts']);
  } finally {
    await app.close();
    await sandbox.close();
  }
});

it('an app that is no demo forgets nothing', async () => {
  const app = await startTestApp();
  try {
    expect((await app.browser().send('POST', '/demo/forget-limits')).status).not.toBe(204);
  } finally {
    await app.close();
  }
});

const TOOLS = { FLOW_INSPECTOR: 'true', TOUR: 'true', GETBILL_WEBHOOK_SECRET: 'w'.repeat(32) };
const linksOf = (text: string): string[] => {
  const bar = /<aside class="demo-bar"[^>]*>([\s\S]*?)<\/aside>/.exec(text)?.[1];
  return [...(bar ?? '').matchAll(/href="([^"]+)"/g)].map(([, href = '']) => href);
};

it('every page of a demo says that it is a sandbox and links to tour, flow and panel', async () => {
  const env = { ...TOOLS, GETBILL_WEBHOOK_COMPANY: 'c', RATE_LIMIT_LOGIN: '2' };
  const app = await startTestApp({ env });
  try {
    const browser = app.browser();
    const stranger = app.browser();
    await browser.signIn();
    const [debt] = (await browser.get('/api/debts?limit=1')).json['data'] as { id: string }[];
    const paths = ['/', '/dashboard', '/debts', `/debts/${debt?.id ?? ''}`, '/connection'];
    const pages = [...paths, '/events', '/flow', '/tour', '/nothing', '/debts?page=999'];
    const html = { accept: 'text/html' };
    const answers = [
      ...(await Promise.all(pages.map((path) => browser.get(path, html)))),
      await stranger.get('/', html),
      await stranger.get('/oauth/callback?code=x&state=y', html),
      await stranger.get('/nothing', html),
    ];
    await stranger.get('/login', html);
    answers.push(await stranger.get('/login', html)); // 429
    const bars = answers.map(({ text }) => linksOf(text));
    const panel = `${app.sandbox.origin}/`;
    expect(bars).toEqual(answers.map(() => ['/tour', '/flow', panel]));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 400, 404, 429]));
    for (const { text } of answers) expect(text).toContain('not the real GetBill');
  } finally {
    await app.close();
  }
});

it.each<[string, Record<string, string>, string[] | undefined]>([
  ['without a tool', {}, undefined],
  ['with the inspector alone', { FLOW_INSPECTOR: 'true' }, ['/flow']],
  [
    'with the inspector against a GetBill elsewhere',
    {
      FLOW_INSPECTOR: 'true',
      GETBILL_AUTHORIZE_URL: 'https://app.getbill.example/oauth/authorize',
    },
    undefined,
  ],
])('%s the bar has what is there', async (_name, env, links) => {
  const app = await startTestApp({ env });
  try {
    const { text } = await app.browser().get('/');
    expect(text.includes('demo-bar')).toBe(links !== undefined);
    expect(linksOf(text)).toEqual(links === undefined ? [] : [...links, `${app.sandbox.origin}/`]);
  } finally {
    await app.close();
  }
});

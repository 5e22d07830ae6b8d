import { createServer } from 'node:http';
import { once } from 'node:events';
import type { Browser } from 'playwright-core';
import { startCommandLine, type CommandLine, type Running } from '../cli/support/commands.js';
import { until } from '../support/until.js';
import { launchChromium } from '../support/chromium.js';
import { freePort } from '../support/free-port.js';

let cli: CommandLine;
let chromium: Browser;
let env: Record<string, string>;
let redirectUri: string;
beforeAll(async () => {
  [cli, chromium] = await Promise.all([startCommandLine(), launchChromium()]);
}, 60_000);
afterAll(async () => {
  await chromium.close();
  await cli.close();
});
beforeEach(async () => {
  const publicUrl = `http://localhost:${await freePort()}`;
  redirectUri = `${publicUrl}/oauth/callback`;
  env = { PUBLIC_URL: publicUrl };
  cli.sandbox.control.addRedirectUri(redirectUri);
});
afterEach(() => {
  cli.sandbox.control.reset();
  cli.sandbox.control.clearRequests();
});

/** Runs `try`, and hands over the URL that it prints. */
async function begin(more: Record<string, string> = {}, args = 'try') {
  const running = cli.start(args, { ...env, ...more });
  let printed = '';
  running.child.stdout?.on('data', (text: string) => (printed += text));
  const url = /^http\S+\/oauth\/authorize\S+$/m;
  await until('it prints the URL', () => url.test(printed) || running.child.exitCode !== null);
  return { running, url: url.exec(printed)?.[0] ?? '' };
}

/** A person who chooses in a browser, and sees the page at the end. */
async function choose(
  url: string,
  { decision = 'allow', untick }: { decision?: string; untick?: string } = {},
): Promise<string> {
  const page = await (await chromium.newContext()).newPage();
  await page.goto(url);
  if (untick !== undefined) await page.locator(`input[value="${untick}"]`).uncheck();
  await page.locator(`button[name="decision"][value="${decision}"]`).click();
  await page.waitForURL((at) => at.pathname === '/oauth/callback');
  return await page.locator('body').innerText();
}

const ended = async ({ ended }: Running) => await ended;

it('a person follows the five steps in a browser', async () => {
  const { running, url } = await begin();
  expect(await choose(url)).toContain('Back to the terminal');
  const { code, stdout, stderr } = await ended(running);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/pass {2}1\. authorization URL +open it in a browser/);
  expect(stdout).toMatch(/pass {2}2\. authorization +approved/);
  expect(stdout).toMatch(/pass {2}3\. authorization code +code ..•{6} \(\d+ characters\)/);
  expect(stdout).toMatch(/pass {2}4\. code exchange +an access token for 3600 s, a refresh token/);
  expect(stdout).toMatch(/pass {2}5\. API call +GET \S+\/company\/profile answers/);
}, 30_000);

it('beside an app that runs at the redirect URI does not say to start one', async () => {
  const app = createServer().listen(Number(new URL(redirectUri).port), 'localhost');
  await once(app, 'listening');
  try {
    const { running, url } = await begin();
    await choose(url);
    expect((await ended(running)).stdout).toMatch(/flow works\.\n$/);
  } finally {
    app.close();
  }
}, 30_000);

it('what is secret is not printed, but for the state in the URL', async () => {
  const { running, url } = await begin();
  await choose(url);
  const { stdout, stderr } = await ended(running);
  const [form] = cli.sandbox.control.requests().filter(({ url }) => url === '/oauth/token');
  for (const name of ['code', 'client_secret', 'code_verifier'])
    expect(stdout + stderr).not.toContain(new URLSearchParams(form?.body).get(name));
  expect(stdout).not.toContain('Bearer');
}, 30_000);

describe('says which step failed, and why', () => {
  it('1: the redirect URI is not registered', async () => {
    const { running } = await begin({ PUBLIC_URL: `http://localhost:${await freePort()}` });
    const { code, stdout } = await ended(running);
    expect(code).toBe(3);
    expect(stdout).toMatch(/fail {2}1\. authorization URL\n +cause: redirect_uri_mismatch/);
    expect(stdout).toContain('register exactly http://localhost');
  });

  it('1: GetBill does not know the client', async () => {
    const { running } = await begin({ GETBILL_CLIENT_ID: 'somebody-else' });
    const { code, stdout } = await ended(running);
    expect(code).toBe(3);
    expect(stdout).toMatch(/fail {2}1\. authorization URL\n +cause: invalid_client/);
  });

  it.each([
    ['temporarily_unavailable', 6],
    ['unauthorized_client', 3],
  ])('1: GetBill sends everybody back with %s: ends with %i', async (error, exitCode) => {
    const server = createServer((_req, res) => {
      res.writeHead(302, { location: `${redirectUri}?error=${error}` }).end();
    }).listen(0, 'localhost');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const GETBILL_AUTHORIZE_URL = `http://localhost:${port}/oauth/authorize`;
    const { code, stdout } = await cli.run('try', { ...env, GETBILL_AUTHORIZE_URL });
    server.close();
    expect(stdout).toMatch(/fail {2}1\. authorization URL/);
    expect(code).toBe(exitCode);
  });

  it('2: the person denies', async () => {
    const { running, url } = await begin();
    await choose(url, { decision: 'deny' });
    const { code, stdout } = await ended(running);
    expect(code).toBe(4);
    expect(stdout).toMatch(/fail {2}2\. authorization\n +cause: access_denied/);
  }, 30_000);

  it('2: nobody comes back', async () => {
    const { running } = await begin({}, 'try --wait 1');
    const { code, stdout } = await ended(running);
    expect(code).toBe(6);
    expect(stdout).toMatch(/fail {2}2\. authorization\n +cause: no browser came back within 1 s/);
  });

  it('3: the state is of another sign-in', async () => {
    const { running } = await begin();
    await fetch(`${redirectUri}?code=stolen&state=of-another-sign-in`);
    const { code, stdout } = await ended(running);
    expect(code).toBe(4);
    expect(stdout).toMatch(/fail {2}3\. authorization code\n +cause: the callback carries a state/);
  });

  it('3: there is no code in the callback', async () => {
    const { running, url } = await begin();
    await fetch(`${redirectUri}?state=${new URL(url).searchParams.get('state')}`);
    const { stdout } = await ended(running);
    expect(stdout).toMatch(/fail {2}3\. authorization code\n +cause: callback_malformed/);
  });

  it('4: the secret is wrong', async () => {
    const { running, url } = await begin({ GETBILL_CLIENT_SECRET: 'wrong-canary' });
    await choose(url);
    const { code, stdout } = await ended(running);
    expect(code).toBe(3);
    expect(stdout).toMatch(/fail {2}4\. code exchange\n +cause: invalid_client/);
    expect(stdout).not.toContain('wrong-canary');
  }, 30_000);

  it('4: the code was used before', async () => {
    const { running, url } = await begin();
    cli.sandbox.control.set({
      token: [{ mode: 'status', status: 400, body: { error: 'invalid_grant' } }],
    });
    await choose(url);
    const { code, stdout } = await ended(running);
    expect(code).toBe(4);
    expect(stdout).toMatch(
      /fail {2}4\. code exchange\n +cause: code_refused.*\n +fix: .*used before/,
    );
  }, 30_000);

  it('4: the token endpoint is not there', async () => {
    const { running, url } = await begin({
      GETBILL_TOKEN_URL: `http://localhost:${await freePort()}/oauth/token`,
    });
    await choose(url);
    const { code, stdout } = await ended(running);
    expect(code).toBe(6);
    expect(stdout).toMatch(/fail {2}4\. code exchange\n +cause: nothing listens at localhost/);
  }, 30_000);

  it('5: the scope of the call was not granted', async () => {
    const { running, url } = await begin({ GETBILL_SCOPES: 'company:read debts:read' });
    await choose(url, { untick: 'company:read' });
    const { code, stdout } = await ended(running);
    expect(code).toBe(4);
    expect(stdout).toMatch(/fail {2}5\. API call\n +cause: GET \S+\/company\/profile answered 403/);
  }, 30_000);

  it.each([
    [{ mode: 'status', status: 500 }, 6, /cause: .* answered 500/],
    [{ mode: 'status', status: 429 }, 5, /cause: .* answered 429/],
    [{ mode: 'status', status: 404 }, 3, /cause: .* answered 404/],
    [{ mode: 'unauthorized' }, 3, /cause: .* answered 401/],
    [{ mode: 'drop' }, 6, /cause: localhost/],
  ] as const)(
    '5: the API has an error of its own: %j ends with %i',
    async (fault, exitCode, cause) => {
      const { running, url } = await begin();
      cli.sandbox.control.set({ api: [{ ...fault, times: 0 }] });
      await choose(url);
      const { code, stdout } = await ended(running);
      expect(stdout).toMatch(/fail {2}5\. API call\n +cause: /);
      expect(stdout).toMatch(cause);
      expect(code).toBe(exitCode);
    },
    30_000,
  );
});

it('beside an app on the port of the redirect URI, a sandbox is told another one; GetBill cannot be', async () => {
  const app = createServer().listen(Number(new URL(redirectUri).port), 'localhost');
  await once(app, 'listening');
  const { running, url } = await begin();
  expect(new URL(url).searchParams.get('redirect_uri')).not.toBe(redirectUri);
  await choose(url);
  expect((await ended(running)).code).toBe(0);
  const elsewhere = await cli.run('try', {
    ...env,
    GETBILL_AUTHORIZE_URL: 'https://getbill.invalid/oauth/authorize',
  });
  expect([elsewhere.code, elsewhere.stderr]).toEqual([3, expect.stringContaining('is taken by')]);
  app.close();
}, 30_000);

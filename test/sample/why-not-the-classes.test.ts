// Each test shows first that the guide's client-credentials class fails, then that the app does not. The table:
// docs/why-not-the-sample.md.
import {
  defaultClientId,
  defaultClientSecret,
  startSandbox,
  type Sandbox,
} from '../../sandbox/sandbox.js';
import { approve } from '../../sandbox/sign-in.js';
import { UnavailableError } from '../../src/errors.js';
import { until } from '../support/until.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { SampleClient } from './support/sample-client.js';

const REDIRECT_URI = 'http://localhost:9/oauth/callback';
const VICTIM = 'Recouvrement Lumière SARL';
const OWN = 'Example Collections LLC';

let redis: RedisServer;
let sandbox: Sandbox;
let control: Sandbox['control'];
let app: TestApp;
beforeAll(async () => {
  [redis, sandbox] = await Promise.all([
    startRedis(),
    startSandbox({ redirectUris: [REDIRECT_URI] }),
  ]);
  control = sandbox.control;
});
afterAll(async () => {
  await sandbox.close();
  await redis.close();
});
beforeEach(async () => {
  control.reset();
  control.clearRequests();
  await redis.client.flushall();
  app = await startTestApp({ sandbox, env: { REDIS_URL: redis.url } });
});
afterEach(() => app.close());

const counts = () => control.state().counters.tokenByGrant;
const tokenCalls = () => control.state().counters.tokenCalls;

/** The class, with the tokens of a person who signed in: the guide keeps both in the same fields. */
async function withTokensOfAPerson(): Promise<SampleClient> {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: defaultClientId,
    redirect_uri: REDIRECT_URI,
    scope: 'company:read',
    state: 'x',
  });
  const authorizeUrl = `${sandbox.origin}/oauth/authorize?${query.toString()}`;
  const code = new URL(await approve({ authorizeUrl, company: VICTIM })).searchParams.get('code');
  const response = await fetch(`${sandbox.origin}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: code ?? '',
      redirect_uri: REDIRECT_URI,
      client_id: defaultClientId,
      client_secret: defaultClientSecret,
    }),
  });
  const { access_token: access, refresh_token: refresh } = (await response.json()) as Record<
    string,
    string
  >;
  const client = new SampleClient(sandbox);
  client.tokens = { access, refresh, usableUntilMs: 0 };
  return client;
}

async function nameOf(response: Response): Promise<string | undefined> {
  return ((await response.json()) as { data?: { name: string } }).data?.name;
}

it('a renewal without a new refresh token forgets the old one; ours keeps it', async () => {
  control.set({ refreshToken: 'omit' });
  const theirs = await withTokensOfAPerson();
  await theirs.token();
  expect(theirs.tokens.refresh).toBeUndefined();

  const ours = app.browser();
  await ours.signIn({ company: VICTIM });
  const before = counts().refresh_token;
  for (let hour = 0; hour < 2; hour += 1) {
    control.expireAccessTokens();
    expect((await ours.get('/api/company/profile')).text).toContain(VICTIM);
  }
  expect(counts().refresh_token - before).toBe(2);
});

it("a person's grant that ends is replaced by the app's own power; ours ends the session", async () => {
  const theirs = await withTokensOfAPerson();
  const ours = app.browser();
  await ours.signIn({ company: VICTIM });
  control.revokeGrants();
  expect(await nameOf(await theirs.get('/company/profile'))).toBe(OWN); // not the person's company any more
  const own = counts().client_credentials;
  control.expireAccessTokens();
  const { location = '' } = await ours.get('/dashboard');
  expect([location.startsWith('/login'), counts().client_credentials]).toEqual([true, own]);
});

it('a lifetime that is missing is a token call for every API call; ours takes an hour', async () => {
  control.set({ token: [{ mode: 'body', remove: ['expires_in'], times: 0 }] });
  const theirs = new SampleClient(sandbox);
  for (let call = 0; call < 3; call += 1) await theirs.get('/company/profile');
  expect(tokenCalls()).toBe(3);
  for (let call = 0; call < 3; call += 1) await app.services.appClient.companyProfile();
  expect(tokenCalls()).toBe(3 + 1);
});

it('objects, and callers of one object, ask for a token each; ours share one across processes', async () => {
  const theirs = [new SampleClient(sandbox), new SampleClient(sandbox)];
  await Promise.all(theirs.flatMap((one) => [one.token(), one.token()]));
  expect(tokenCalls()).toBe(4);
  const second = await startTestApp({
    sandbox,
    env: { REDIS_URL: redis.url, PUBLIC_URL: app.publicUrl },
  });
  const clients = [app, second].map(({ services }) => services.appClient);
  await Promise.all(clients.flatMap((one) => [one.companyProfile(), one.companyProfile()]));
  await second.close();
  expect(tokenCalls()).toBe(4 + 1);
});

it('a token endpoint that hangs holds a job for as long as it likes; ours has a deadline there too', async () => {
  const hasty = await startTestApp({ sandbox, env: { GETBILL_TIMEOUT_MS: '250' } });
  control.set({ token: [{ mode: 'hold', times: 2 }] });
  let ended = false;
  const waiting = new SampleClient(sandbox).token().finally(() => (ended = true));
  await until('the class waits', () => control.state().held === 1);
  await expect(hasty.services.appClient.companyProfile()).rejects.toThrow(UnavailableError);
  expect(ended).toBe(false);
  control.release();
  await waiting;
  await hasty.close();
});

it('a token that GetBill ended early is sent until its hour is over; ours is renewed', async () => {
  const theirs = new SampleClient(sandbox);
  await theirs.token();
  await app.services.appClient.companyProfile();
  control.expireAccessTokens();
  const statuses = [await theirs.get('/company/profile'), await theirs.get('/company/profile')];
  expect(statuses.map(({ status }) => status)).toEqual([401, 401]);
  expect(await app.services.appClient.companyProfile()).toMatchObject({ name: OWN });
});

it('to read one profile it asks for the right to change debts; ours asks for the one scope', async () => {
  const asked = () =>
    control
      .requests()
      .filter(({ url }) => url === '/oauth/token')
      .map(({ body }) => new URLSearchParams(body).get('scope'));
  await new SampleClient(sandbox).get('/company/profile');
  await app.services.appClient.companyProfile();
  expect(asked()).toEqual([expect.stringContaining('debts:write'), 'company:read']);
});

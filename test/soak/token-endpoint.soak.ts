import { setTimeout as delay } from 'node:timers/promises';
import type { TokenFault } from '../../sandbox/faults.js';
import { startInstallation, type Installation } from '../process/support/installation.js';
import { until } from '../support/until.js';
import type { TimedAnswer, Visitor } from '../process/support/visitor.js';

jest.setTimeout(120_000); // processes have to start, on a machine that may be busy

const TIMEOUT_MS = 2_000;

let site: Installation<'a' | 'b' | 'misdeployed'>;
beforeAll(async () => {
  site = await startInstallation({
    processes: ['a', 'b', 'misdeployed'],
    env: ({ name, getbill }) => ({
      GETBILL_TIMEOUT_MS: String(TIMEOUT_MS),
      ...(name === 'misdeployed' && { GETBILL_TOKEN_URL: `${getbill}/no/such/path` }),
    }),
  });
});
afterAll(() => site.close());

const counters = () => site.sandbox.control.state().counters;
const tokenFault = (fault: TokenFault): void =>
  site.sandbox.control.set({ token: [{ ...fault, grantType: 'refresh_token' }] });
async function endsOf({ grant }: Visitor): Promise<string[]> {
  const ended = await site.audit('session_ended');
  return ended.filter((one) => one.grant === grant).map(({ reason }) => reason);
}

async function failuresOf({ grant }: Visitor) {
  return (await site.audit('refresh_failed')).filter((one) => one.grant === grant);
}

/** As if the pause after a failed renewal were over. */
async function endPause({ grantId }: Visitor): Promise<void> {
  expect(await site.redis.client.del(`backoff:${grantId}`)).toBe(1);
}

/** Signed in, and the access token is dead. */
async function expiredVisitor(): Promise<Visitor> {
  const visitor = await site.signIn();
  site.sandbox.control.expireAccessTokens();
  return visitor;
}

describe('[immunity 18] a token endpoint that is down', () => {
  it('is noticed by nobody until the access token expires, then answered 503, then forgotten', async () => {
    const { control } = site.sandbox;
    control.set({ accessTokenLifetimeS: 4 }); // a margin of one second
    const earliestExpiryMs = Date.now() + 4_000;
    const visitor = await site.signIn();
    control.set({ accessTokenLifetimeS: 3600 });
    tokenFault({ mode: 'status', status: 500, retryAfterS: 1, times: 0 });

    let answer: TimedAnswer;
    do {
      await delay(50);
      answer = await visitor.profile(site.apps.b);
    } while (answer.status === 200);
    expect(Date.now()).toBeGreaterThanOrEqual(earliestExpiryMs);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(await failuresOf(visitor)).toContainEqual(
      expect.objectContaining({ outcome: 'transient' }),
    );

    control.set({ token: [] });
    await until('the calls go on', async () => (await visitor.profile(site.apps.a)).status === 200);
    expect(await endsOf(visitor)).toEqual([]);
  });
});

describe('[immunity 22] a token endpoint that accepts and never answers', () => {
  it('keeps nobody waiting past the deadline and is called once', async () => {
    const visitor = await expiredVisitor();
    tokenFault({ mode: 'hang' });
    const before = counters().tokenCalls;
    const calls = Array.from({ length: 20 }, (_, index) =>
      visitor.profile(index % 2 ? site.apps.a : site.apps.b),
    );
    const answers = await Promise.all(calls);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(TIMEOUT_MS + 1_500);
    expect(counters().tokenCalls).toBe(before + 1);

    await endPause(visitor);
    expect((await visitor.profile(site.apps.b)).status).toBe(200);
    expect(await endsOf(visitor)).toEqual([]);
  });
});

describe('a wrong token URL, a firewall in front of the token endpoint', () => {
  it.each([
    ['a process whose token URL is a 404 page', 'misdeployed', undefined],
    ["a firewall's 403 page", 'a', { mode: 'html', status: 403 }],
  ] as const)('%s: signs nobody out, loses nothing', async (_, name, fault) => {
    const visitor = await expiredVisitor();
    if (fault !== undefined) tokenFault(fault);
    expect((await visitor.profile(site.apps[name])).status).toBe(502);
    expect(await failuresOf(visitor)).toMatchObject([
      { outcome: 'misconfigured', reason: 'token_endpoint_misconfigured' },
    ]);

    const before = counters().tokenCalls;
    const paused = await visitor.profile(site.apps.b);
    expect(paused.status).toBe(502);
    expect(Number(paused.headers['retry-after'])).toBeGreaterThan(20);
    expect(counters().tokenCalls).toBe(before);

    await endPause(visitor);
    expect((await visitor.profile(site.apps.b)).status).toBe(200);
    expect((await visitor.profile(site.apps[name])).status).toBe(200);
    expect(await endsOf(visitor)).toEqual([]);
  });
});

describe('[immunity 19] a grant that was revoked at GetBill', () => {
  it('costs one refresh, whoever asks, and answers 401 with the way to sign in', async () => {
    const visitor = await site.signIn();
    site.sandbox.control.revokeGrants();
    const before = counters().tokenCalls;
    const calls = Array.from({ length: 20 }, (_, index) =>
      visitor.profile(index % 2 ? site.apps.a : site.apps.b),
    );
    for (const answer of [...(await Promise.all(calls)), await visitor.profile(site.apps.b)]) {
      expect(answer.status).toBe(401);
      expect(answer.json).toMatchObject({ login_url: '/login' });
    }
    expect(counters().tokenCalls).toBe(before + 1);
    expect(await endsOf(visitor)).toEqual(['refused']);
  });
});

describe('[immunity 20] an answer that is lost after GetBill has rotated', () => {
  it('ends in one clean sign-in with its reason in the audit log', async () => {
    const visitor = await expiredVisitor();
    tokenFault({ mode: 'commitThenDrop' });
    const lost = await visitor.profile(site.apps.a);
    expect(lost.status).toBe(503);
    expect(await endsOf(visitor)).toEqual([]);

    await endPause(visitor);
    const refused = await visitor.profile(site.apps.b);
    expect(refused.status).toBe(401);
    expect(refused.json).toMatchObject({ error: 'grant_ended', login_url: '/login' });
    expect(await endsOf(visitor)).toEqual(['answer_lost']);
    expect((await visitor.profile(site.apps.a)).json).toMatchObject({ error: 'not_signed_in' });
  });

  it('is unnoticed where GetBill takes the old refresh token again', async () => {
    site.sandbox.control.set({ refreshToken: 'keep' });
    const visitor = await expiredVisitor();
    tokenFault({ mode: 'commitThenDrop' });
    expect((await visitor.profile(site.apps.a)).status).toBe(503);
    await endPause(visitor);
    expect((await visitor.profile(site.apps.b)).status).toBe(200);
    expect(await endsOf(visitor)).toEqual([]);
  });
});

import { noteAttempt, replaceRecord } from '../process/support/commands.js';
import { startInstallation, type Installation } from '../process/support/installation.js';
import { until } from '../support/until.js';
import type { TimedAnswer, Visitor } from '../process/support/visitor.js';

jest.setTimeout(120_000); // processes have to start, on a machine that may be busy

/** GETBILL_TIMEOUT_MS and three seconds. */
const LEASE_MS = 5_000;
const ANSWER_MS = 2_000;

/** Each names the process that is killed there. */
const moments = [
  'in the call',
  'when GetBill has rotated',
  'before the call',
  'before the write',
] as const;
type Moment = (typeof moments)[number];

let site: Installation<Moment | 'survivor'>;
const after = new Map<Moment, { visitor: Visitor; answer: TimedAnswer; tookMs: number }>();

/** Arranges that the next renewal of that process stops at the moment; returns whether it is there. */
function stopRenewal(moment: Moment): () => boolean {
  const { redis } = site.apps[moment];
  const { control } = site.sandbox;
  const holdAtGetbill = (mode: 'hold' | 'holdAnswer'): (() => boolean) => {
    const { held } = control.state();
    control.set({ token: [{ mode, grantType: 'refresh_token' }] });
    return () => control.state().held > held;
  };
  switch (moment) {
    case 'in the call':
      return holdAtGetbill('hold');
    case 'when GetBill has rotated':
      return holdAtGetbill('holdAnswer');
    case 'before the call':
    case 'before the write': {
      const rule = redis.treat('hold', moment === 'before the call' ? noteAttempt : replaceRecord);
      return () => rule.held() > 0;
    }
  }
}

beforeAll(async () => {
  site = await startInstallation({
    processes: [...moments, 'survivor'],
    env: () => ({ GETBILL_TIMEOUT_MS: String(LEASE_MS - 3_000) }),
    redisProxies: moments,
  });
  const visitors = new Map<Moment, Visitor>();
  for (const moment of moments) visitors.set(moment, await site.signIn({ at: site.apps[moment] }));
  site.sandbox.control.expireAccessTokens();

  const killedAtMs = new Map<Moment, number>();
  for (const [moment, visitor] of visitors) {
    const isThere = stopRenewal(moment);
    const victim = site.apps[moment];
    visitor.profile(victim).catch(() => undefined); // ends with the process
    await until(`a renewal is held ${moment}`, isThere);
    victim.signal('SIGKILL');
    await victim.exited;
    killedAtMs.set(moment, performance.now());
  }
  const recover = async ([moment, visitor]: [Moment, Visitor]): Promise<void> => {
    const answer = await visitor.profile(site.apps.survivor);
    after.set(moment, {
      visitor,
      answer,
      tookMs: performance.now() - (killedAtMs.get(moment) ?? 0),
    });
  };
  await Promise.all([...visitors].map(recover));
});
afterAll(() => site.close());

describe.each(moments)('kill -9 of the process that renews, %s', (moment) => {
  it('another process answers within the lifetime of the lease', () => {
    expect(after.get(moment)?.tookMs).toBeLessThan(LEASE_MS + ANSWER_MS);
  });
});

describe.each(['before the call', 'in the call'] as const)(
  'kill -9 of the process that renews, %s',
  (moment) => {
    it('nobody notices', async () => {
      const { visitor, answer } = after.get(moment) ?? fail(moment);
      expect(answer.status).toBe(200);
      expect(await endsOf(visitor)).toEqual([]);
    });
  },
);

describe.each(['when GetBill has rotated', 'before the write'] as const)(
  '[immunity 20] kill -9 of the process that renews, %s',
  (moment) => {
    it('ends in one clean sign-in with its reason in the audit log', async () => {
      const { visitor, answer } = after.get(moment) ?? fail(moment);
      expect(answer.status).toBe(401);
      expect(answer.json).toMatchObject({ error: 'grant_ended', login_url: '/login' });
      expect(await endsOf(visitor)).toEqual(['answer_lost']);

      const page = await visitor.call(site.apps.survivor, '/dashboard', {
        headers: { accept: 'text/html' },
      });
      expect(page.headers['location']).toBe('/login?returnTo=%2Fdashboard');
      expect(await site.redis.dump()).not.toContain(`grant:${visitor.grantId}`);
    });
  },
);

describe('kill -9 of the process that renews', () => {
  it('spends no refresh token twice but those whose answer was lost', () => {
    expect(site.sandbox.control.state().counters.refreshReuse).toBe(2);
  });

  it('lets people sign in as ever', async () => {
    const visitor = await site.signIn({ at: site.apps.survivor });
    expect((await visitor.profile(site.apps.survivor)).status).toBe(200);
  });
});

async function endsOf({ grant }: Visitor): Promise<string[]> {
  const ended = await site.audit('session_ended');
  return ended.filter((one) => one.grant === grant).map(({ reason }) => reason);
}

function fail(moment: Moment): never {
  throw new Error(`nothing is known of the kill ${moment}`);
}

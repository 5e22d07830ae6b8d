import type { Faults } from '../../sandbox/faults.js';
import {
  noteAttempt,
  releaseLease,
  removeRecordExactly,
  replaceRecord,
} from '../process/support/commands.js';
import { startInstallation, type Installation } from '../process/support/installation.js';
import { until } from '../support/until.js';
import type { TimedAnswer, Visitor } from '../process/support/visitor.js';

jest.setTimeout(120_000); // processes have to start, on a machine that may be busy

/** Each names the process that is stopped there, past its lease, while the other process goes on. */
type Moment = 'before the call' | 'in the call' | 'before the write' | 'before the deletion';

interface Outcome {
  visitor: Visitor;
  /** Of the process that went on. */
  other: TimedAnswer;
  record: { before: string | null; after: string | null };
  leaseHolder: string | null;
}

const THIRD_PROCESS = 'the lease of a third process';
const REFUSAL = {
  mode: 'status',
  status: 400,
  body: { error: 'invalid_grant' },
  grantType: 'refresh_token',
} as const;

/** Arranges that the next renewal of that process stops at the moment. */
function stopRenewal(
  site: Installation<Moment>,
  moment: Moment,
): { isThere: () => boolean; end: () => void } {
  const { control } = site.sandbox;
  const { redis } = site.apps[moment];
  if (moment === 'in the call') {
    control.set({ token: [{ mode: 'holdAnswer', grantType: 'refresh_token' }] });
    return { isThere: () => control.state().held > 0, end: control.release };
  }
  if (moment === 'before the deletion') control.set({ token: [REFUSAL] });
  const commands = {
    'before the write': replaceRecord,
    'before the deletion': removeRecordExactly,
  };
  const rule =
    moment === 'before the call'
      ? redis.treat('holdAnswer', noteAttempt)
      : redis.treat('hold', commands[moment]);
  return { isThere: () => rule.held() > 0, end: () => rule.end() };
}

const sites: Installation[] = [];

async function stopPastTheLease(
  moments: readonly Moment[],
  faults: Partial<Faults>,
): Promise<{ site: Installation<Moment | 'other'>; outcomes: Map<Moment, Outcome> }> {
  const site = await startInstallation({
    processes: [...moments, 'other'],
    env: () => ({ GETBILL_TIMEOUT_MS: '2000' }), // a lease of five seconds
    redisProxies: moments,
    faults,
  });
  sites.push(site);
  const visitors = new Map<Moment, Visitor>();
  for (const moment of moments) visitors.set(moment, await site.signIn({ at: site.apps[moment] }));
  site.sandbox.control.expireAccessTokens();

  const stopped: (() => Promise<[Moment, Outcome]>)[] = [];
  for (const [moment, visitor] of visitors) {
    const holder = site.apps[moment];
    const renewal = stopRenewal(site, moment);
    const late = visitor.profile(holder);
    await until(`a renewal is held ${moment}`, renewal.isThere);
    holder.signal('SIGSTOP');
    stopped.push(async () => {
      const other = await visitor.profile(site.apps.other);
      const record = (): Promise<string | null> =>
        site.redis.client.get(`grant:${visitor.grantId}`);
      const before = await record();
      await site.redis.client.set(`lease:${visitor.grantId}`, THIRD_PROCESS);
      const released = holder.redis.treat('watch', releaseLease);
      renewal.end();
      holder.signal('SIGCONT');
      // A connection that was silent for so long may be given up at once: then the lease is left to run out.
      const isGivenUp = (await late).json.error === 'storage_unavailable';
      await until(
        `the renewal ${moment} gives its lease back`,
        () => isGivenUp || released.seen() > 0,
      );
      const leaseHolder = await site.redis.client.get(`lease:${visitor.grantId}`);
      await site.redis.client.del(`lease:${visitor.grantId}`);
      return [moment, { visitor, other, record: { before, after: await record() }, leaseHolder }];
    });
  }
  return { site, outcomes: new Map(await Promise.all(stopped.map((goOn) => goOn()))) };
}

function outcomeOf({ outcomes }: { outcomes: Map<Moment, Outcome> }, moment: Moment): Outcome {
  const outcome = outcomes.get(moment);
  if (outcome === undefined) throw new Error(`nobody was stopped ${moment}`);
  return outcome;
}

let kept: Awaited<ReturnType<typeof stopPastTheLease>>;
let strict: Awaited<ReturnType<typeof stopPastTheLease>>;

beforeAll(async () => {
  [kept, strict] = await Promise.all([
    stopPastTheLease(['before the write', 'before the deletion', 'in the call'], {
      refreshToken: 'keep',
    }),
    stopPastTheLease(['before the call', 'in the call'], { refreshToken: 'rotate' }),
  ]);
});
afterAll(() => Promise.all(sites.map((site) => site.close())));

describe('[immunity 3] a process that is stopped past its lease, with refresh tokens that are kept', () => {
  it.each(['before the write', 'before the deletion', 'in the call'] as const)('%s, changes nothing when it comes back', (moment) => {
    const { other, record, leaseHolder } = outcomeOf(kept, moment);
    expect(other.status).toBe(200);
    expect(record.before).not.toBeNull();
    expect(record.after).toBe(record.before);
    expect(leaseHolder).toBe(THIRD_PROCESS);
  }); // prettier-ignore

  it('signs nobody out', async () => {
    expect(await kept.site.audit('session_ended')).toEqual([]);
    for (const { visitor } of kept.outcomes.values()) {
      expect((await visitor.profile(kept.site.apps.other)).status).toBe(200);
    }
  });
});

describe('[immunity 3] a process that is stopped past its lease, with refresh tokens that rotate', () => {
  it('before the call, notices and does not use the refresh token again', async () => {
    const { other, record, leaseHolder, visitor } = outcomeOf(strict, 'before the call');
    expect(other.status).toBe(200);
    expect(record.after).toBe(record.before);
    expect(leaseHolder).toBe(THIRD_PROCESS);
    const calls = await strict.site.audit('token_refreshed');
    expect(calls.filter(({ grant }) => grant === visitor.grant)).toHaveLength(1);
    const requests = await strict.site.apps['before the call'].audit('token_requested');
    expect(requests.map(({ grantType }) => grantType)).toEqual(['authorization_code']);
  });

  it('in the call, ends in one clean sign-in with its reason in the audit log', async () => {
    const { other, record, leaseHolder, visitor } = outcomeOf(strict, 'in the call');
    expect(other.status).toBe(401);
    expect(other.json).toMatchObject({ error: 'grant_ended', login_url: '/login' });
    expect(record).toEqual({ before: null, after: null });
    expect(leaseHolder).toBe(THIRD_PROCESS);
    expect(await strict.site.audit('session_ended')).toMatchObject([
      { grant: visitor.grant, reason: 'answer_lost' },
    ]);
    expect((await visitor.profile(strict.site.apps['in the call'])).status).toBe(401);
    expect(strict.site.sandbox.control.state().counters.refreshReuse).toBe(1);
  });
});

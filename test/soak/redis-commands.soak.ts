import { setTimeout as delay } from 'node:timers/promises';
import {
  noteAttempt,
  readRecord,
  releaseLease,
  replaceRecord,
  takeLease,
} from '../process/support/commands.js';
import { startInstallation, type Installation } from '../process/support/installation.js';
import { until } from '../support/until.js';
import type { Visitor } from '../process/support/visitor.js';

jest.setTimeout(120_000); // processes have to start, on a machine that may be busy

/** GETBILL_TIMEOUT_MS and three seconds. */
const LEASE_MS = 6_000;

let site: Installation<'a' | 'b'>;
beforeAll(async () => {
  site = await startInstallation({
    processes: ['a', 'b'],
    env: () => ({ GETBILL_TIMEOUT_MS: String(LEASE_MS - 3_000) }),
    redisProxies: ['a'],
  });
});
afterAll(() => site.close());

const counters = () => site.sandbox.control.state().counters;
const recordOf = ({ grantId }: Visitor): Promise<string | null> =>
  site.redis.client.get(`grant:${grantId}`);

describe('a Redis connection that is cut after a command was carried out, before its answer', () => {
  it.each([
    ['taking the lease', takeLease],
    ['noting the attempt', noteAttempt],
    ['replacing the record', replaceRecord],
    ['giving the lease back', releaseLease],
  ])('%s: the command is sent again, one refresh, nobody signed out', async (_, command) => {
    const visitor = await site.signIn();
    const before = counters().tokenByGrant.refresh_token;
    site.sandbox.control.expireAccessTokens();
    const cut = site.apps.a.redis.treat('cut', command);
    const answer = await visitor.profile(site.apps.a);
    expect(answer.status).toBe(200);
    expect(answer.ms).toBeLessThan(LEASE_MS / 2); // it has not waited for its own lease to end
    await until('the connection was cut', () => cut.seen() === 1);
    expect((await visitor.profile(site.apps.b)).status).toBe(200);
    expect(counters().tokenByGrant.refresh_token).toBe(before + 1);
    expect(await site.audit('session_ended')).toEqual([]);
  });
});

describe('[immunity 4] a request that has read its token record and is then held up', () => {
  it.each([1, 40, 300])(
    '%i ms past the renewal by another process: it uses the new token',
    async (ms) => {
      const visitor = await site.signIn();
      const before = counters();
      site.sandbox.control.expireAccessTokens();
      const read = site.apps.a.redis.treat('holdAnswer', readRecord);
      const late = visitor.profile(site.apps.a);
      await until('it has read the record', () => read.held() === 1);
      expect((await visitor.profile(site.apps.b)).status).toBe(200);
      await delay(ms);
      read.end();
      expect((await late).status).toBe(200);
      expect(counters().tokenByGrant.refresh_token).toBe(before.tokenByGrant.refresh_token + 1);
      expect(counters().refreshReuse).toBe(before.refreshReuse);
    },
  );
});

describe('[immunity 20] a Redis that refuses the write after a renewal', () => {
  it('costs nothing: answered from memory, written later, no other process renews meanwhile', async () => {
    const visitor = await site.signIn();
    const [before, record] = [counters(), await recordOf(visitor)];
    site.sandbox.control.expireAccessTokens();
    const refused = site.apps.a.redis.treat('fail', replaceRecord, { times: 5 });
    const first = visitor.profile(site.apps.a);
    await until('the write was refused', () => refused.seen() > 0);
    const other = visitor.profile(site.apps.b);
    expect((await first).status).toBe(200);
    expect((await other).status).toBe(200);
    await until('the record is written', async () => (await recordOf(visitor)) !== record);
    expect(counters().tokenByGrant.refresh_token).toBe(before.tokenByGrant.refresh_token + 1);
    expect(counters().refreshReuse).toBe(before.refreshReuse);
    expect(await site.audit('token_write_delayed')).toHaveLength(1);
    expect(await site.audit('session_ended')).toEqual([]);
  });
});

describe('[immunity 5] a lease that nobody can take', () => {
  it('costs nothing while the access token is good; then 503, and nothing is deleted', async () => {
    const { control } = site.sandbox;
    control.set({ accessTokenLifetimeS: 4 }); // a margin of one second
    const visitor = await site.signIn();
    const record = await recordOf(visitor);
    control.set({ accessTokenLifetimeS: 3600 });
    const failing = site.apps.a.redis.treat('fail', takeLease, { times: Infinity });

    const statuses = new Set<number>();
    await until('a renewal is tried', async () => {
      statuses.add((await visitor.profile(site.apps.a)).status);
      return failing.seen() > 0;
    });
    expect([...statuses]).toEqual([200]);
    expect((await visitor.profile(site.apps.a)).status).toBe(200);

    control.expireAccessTokens();
    const refused = await visitor.profile(site.apps.a);
    expect(refused.status).toBe(503);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(refused.setCookies).toEqual([]);
    expect(await recordOf(visitor)).toBe(record);

    failing.end();
    expect((await visitor.profile(site.apps.a)).status).toBe(200);
    expect(await site.audit('session_ended')).toEqual([]);
  });
});

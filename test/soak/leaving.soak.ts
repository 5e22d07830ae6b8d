import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { companyProfiles } from '../../sandbox/api/data/companies.js';
import { startInstallation, type Installation } from '../process/support/installation.js';
import { until } from '../support/until.js';

jest.setTimeout(120_000); // processes have to start, on a machine that may be busy

let site: Installation<'a' | 'b' | 'c'>;
beforeAll(async () => {
  site = await startInstallation({ processes: ['a', 'b', 'c'] });
});
afterAll(() => site.close());

const refreshes = (): number => site.sandbox.control.state().counters.tokenByGrant.refresh_token;

describe('[immunity 25] two people, calls interleaved over all processes, renewals in between', () => {
  it('each sees their own company and never the other', async () => {
    const { control } = site.sandbox;
    control.set({ accessTokenLifetimeS: 4 });
    const people = await Promise.all(
      companyProfiles.map(async ({ id, name }) => ({
        id,
        visitor: await site.signIn({ company: name }),
      })),
    );
    const calls = Array.from({ length: 200 }, async (_, index) => {
      const { id, visitor } = people[index % people.length] ?? { id: '', visitor: site.stranger };
      const app = site.all[index % site.all.length] ?? site.apps.a;
      await delay(index * 30);
      const { status, text } = await visitor.profile(app);
      return {
        status,
        own: text.includes(id),
        others: people.some((other) => other.id !== id && text.includes(other.id)),
      };
    });
    const expected = { status: 200, own: true, others: false };
    expect(await Promise.all(calls)).toEqual(calls.map(() => expected));
    expect(refreshes()).toBeGreaterThanOrEqual(people.length);
    control.set({ accessTokenLifetimeS: 3600 });
  });
});

describe('[immunity 20] a browser that leaves while its access token is renewed', () => {
  it('does not stop the renewal', async () => {
    const { control } = site.sandbox;
    const visitor = await site.signIn();
    control.expireAccessTokens();
    control.set({ token: [{ mode: 'hold', grantType: 'refresh_token' }] });
    const leaving = new AbortController();
    const left = visitor.profile(site.apps.a, { signal: leaving.signal });
    await until('the renewal is under way', () => control.state().held === 1);
    leaving.abort();
    await expect(left).rejects.toThrow('aborted');
    const record = await site.redis.client.get(`grant:${visitor.grantId}`);
    control.release();
    await until(
      'it is stored',
      async () => (await site.redis.client.get(`grant:${visitor.grantId}`)) !== record,
    );
    const before = refreshes();
    expect((await visitor.profile(site.apps.b)).status).toBe(200);
    expect(refreshes()).toBe(before);
  });
});

describe('SIGTERM during a renewal', () => {
  it.each([
    ['a', 'whose caller waits'],
    ['c', 'whose caller has left'],
  ] as const)('%s, %s: it is finished and stored, exit code 0', async (name, which) => {
    const { control } = site.sandbox;
    const visitor = await site.signIn({ at: site.apps.b });
    control.expireAccessTokens();
    control.set({ token: [{ mode: 'hold', grantType: 'refresh_token' }] });
    const leaving = new AbortController();
    const call = visitor
      .profile(site.apps[name], { signal: leaving.signal })
      .catch(() => undefined);
    await until('the renewal is under way', () => control.state().held === 1);
    if (which === 'whose caller has left') leaving.abort();
    const silent = connect(Number(new URL(site.apps[name].origin).port)); // as browsers open one ahead
    await once(
      silent.on('error', () => undefined),
      'connect',
    );
    site.apps[name].signal('SIGTERM');
    await until('the process is stopping', () =>
      site.apps[name].log().includes('"msg":"stopping"'),
    );
    control.release();
    const releasedMs = performance.now();

    expect((await call)?.status).toBe(which === 'whose caller waits' ? 200 : undefined);
    expect(await site.apps[name].exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - releasedMs).toBeLessThan(5_000);
    silent.destroy();
    const before = refreshes();
    expect((await visitor.profile(site.apps.b)).status).toBe(200);
    expect(refreshes()).toBe(before);
    expect(await site.audit('session_ended')).toEqual([]);
  });
});

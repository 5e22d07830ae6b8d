import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'undici';
import { startInstallation, type Installation } from '../process/support/installation.js';
import { goThrough, type Outage } from '../process/support/outage.js';
import { until } from '../support/until.js';
import type { Visitor } from '../process/support/visitor.js';

let site: Installation<'a' | 'b'>;
let visitors: Visitor[];
beforeAll(async () => {
  site = await startInstallation({ processes: ['a', 'b'] });
  visitors = [await site.signIn(), await site.signIn()];
});
afterAll(() => site.close());

describe('[immunity 17] a Redis that takes no writes', () => {
  it('a session that cannot be touched costs no answer', async () => {
    const [visitor] = visitors as [Visitor];
    await site.redis.client.config('SET', 'min-replicas-to-write', '1');
    const dispatcher = new Client(site.apps.b.origin);
    let cut = false;
    dispatcher.on('disconnect', () => (cut = true));
    const headers = { accept: 'text/html' };
    const page = await visitor.call(site.apps.b, '/dashboard', { headers, dispatcher }); // b has not touched it yet
    await until(
      'the touch failed',
      async () => (await site.apps.b.audit('session_touch_failed')).length > 0,
    );
    expect(page.status).toBe(200);
    expect(page.text).toContain('</html>');
    expect(page.setCookies).toEqual([]);
    expect((await visitor.call(site.apps.b, '/', { headers, dispatcher })).status).toBe(200);
    expect(cut).toBe(false);
    await dispatcher.close();

    await site.redis.client.config('SET', 'min-replicas-to-write', '0');
    expect((await visitor.profile(site.apps.b)).status).toBe(200);
    expect(await site.audit('session_ended')).toEqual([]);
  });
});

describe.each<[string, Omit<Outage, 'durationMs'>]>([
  ['stopped', { fail: (redis) => redis.stop(), recover: (redis) => redis.start() }],
  ['hanging', { fail: (redis) => redis.pause(), recover: (redis) => redis.resume() }],
])('[immunity 17] a Redis that is %s for 30 seconds', (_, outage) => {
  it('is answered 503 within a second; afterwards the same sessions work', async () => {
    const report = await goThrough({ ...outage, durationMs: 30_000 }, site, visitors);
    console.log(JSON.stringify(report));
    expect(report).toMatchObject({
      statuses: { signedIn: [503], stranger: [200] },
      wrong: 0,
      same: true,
    });
    expect(report.mostWithinMs).toBeLessThan(1_000);
    expect(report.recoveredMs).toBeLessThan(5_000);
    expect(await site.audit('session_ended')).toEqual([]);
    expect(await site.audit('login_started')).toHaveLength(visitors.length);
  });
});

describe('[immunity 18] a token endpoint that is down for the last minute of an access token', () => {
  it('is noticed by nobody until it expires; back up, everybody goes on without signing in', async () => {
    const { control } = site.sandbox;
    control.set({ accessTokenLifetimeS: 80 }); // a margin of 20 seconds
    const earliestExpiryMs = Date.now() + 80_000;
    const people = [await site.signIn(), await site.signIn(), await site.signIn()];
    control.set({ accessTokenLifetimeS: 3600 });
    await delay(20_000);
    control.set({ token: [{ mode: 'status', status: 500, times: 0, grantType: 'refresh_token' }] });

    const statuses = async (): Promise<number[]> => {
      const calls = people.flatMap((visitor) => site.all.map((app) => visitor.profile(app)));
      return (await Promise.all(calls)).map(({ status }) => status);
    };
    while (Date.now() < earliestExpiryMs - 1_000) {
      expect(await statuses()).toEqual([200, 200, 200, 200, 200, 200]);
      await delay(200);
    }
    await until('all have expired', async () =>
      (await statuses()).every((status) => status === 503),
    );
    control.set({ token: [] });
    await until('all go on', async () => (await statuses()).every((status) => status === 200));
    expect(await site.audit('session_ended')).toEqual([]);
    expect(await site.audit('login_started')).toHaveLength(visitors.length + people.length);
  });
});

import { Client } from 'undici';
import { startInstallation, type Installation } from '../process/support/installation.js';
import { goThrough, type Outage } from '../process/support/outage.js';
import { until } from '../process/support/until.js';
import type { Visitor } from '../process/support/visitor.js';

jest.setTimeout(120_000); // processes have to start, on a machine that may be busy

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
    await until('the touch failed', async () => (await site.apps.b.audit('session_touch_failed')).length > 0);
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
])('[immunity 17] a Redis that is %s', (_, outage) => {
  it('is answered 503 within a second; afterwards the same sessions work', async () => {
    const report = await goThrough({ ...outage, durationMs: 2_000 }, site, visitors);
    expect(report).toMatchObject({ statuses: { signedIn: [503], stranger: [200] }, wrong: 0, same: true });
    expect(report.mostWithinMs).toBeLessThan(1_000);
    expect(report.recoveredMs).toBeLessThan(5_000);
    expect(await site.audit('session_ended')).toEqual([]);
    expect(await site.audit('login_started')).toHaveLength(visitors.length);
  });
});

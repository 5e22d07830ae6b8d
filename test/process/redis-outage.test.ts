import { startInstallation, type Installation } from './support/installation.js';
import { callsFor, kept } from './support/outage.js';
import { until } from './support/until.js';
import type { Visitor } from './support/visitor.js';

jest.setTimeout(120_000); // processes have to start, on a machine that may be busy

const PAGE = { headers: { accept: 'text/html' } };

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
    const page = await visitor.call(site.apps.b, '/dashboard', PAGE); // b has not touched this session yet
    await until('the touch failed', () => site.apps.b.audit('session_touch_failed').length > 0);
    expect(page.status).toBe(200);
    expect(page.text).toContain('</html>');
    expect(page.setCookies).toEqual([]);

    await site.redis.client.config('SET', 'min-replicas-to-write', '0');
    expect((await visitor.profile(site.apps.b)).status).toBe(200);
    expect(site.audit('session_ended')).toEqual([]);
  });
});

describe.each([
  ['stopped', () => site.redis.stop(), () => site.redis.start()],
  ['hanging', () => site.redis.pause(), () => site.redis.resume()],
] as const)('[immunity 17] a Redis that is %s', (_, fail, recover) => {
  it('is answered 503 within a second; afterwards the same sessions work', async () => {
    const before = await kept(site);
    await fail();
    const { signedIn, stranger } = await callsFor(2_000, site, visitors);
    await recover();

    expect(new Set(signedIn.map(({ status }) => status))).toEqual(new Set([503]));
    expect(new Set(stranger.map(({ status }) => status))).toEqual(new Set([200]));
    for (const answer of signedIn) {
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(answer.setCookies).toEqual([]);
      expect(answer.headers['location']).toBeUndefined();
    }
    expect(Math.max(...signedIn.map(({ ms }) => ms))).toBeLessThan(1_000);

    const answers = async (): Promise<number[]> =>
      (await Promise.all(visitors.flatMap((visitor) => site.all.map((app) => visitor.profile(app))))).map(({ status }) => status); // prettier-ignore
    await until('all sessions work', async () => (await answers()).every((status) => status === 200), { withinMs: 5_000 }); // prettier-ignore
    expect(await kept(site)).toEqual(before);
    expect(site.audit('session_ended')).toEqual([]);
    expect(site.audit('login_started')).toHaveLength(visitors.length);
  });
});

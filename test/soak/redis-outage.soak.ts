import { startInstallation, type Installation } from '../process/support/installation.js';
import { callsFor, kept } from '../process/support/outage.js';
import { until } from '../process/support/until.js';

let site: Installation<'a' | 'b'>;
beforeAll(async () => {
  site = await startInstallation({ processes: ['a', 'b'] });
});
afterAll(() => site.close());

it('[immunity 17] 30 seconds without Redis: 503 within a second, nothing deleted, afterwards the same sessions work', async () => {
  const visitors = [await site.signIn(), await site.signIn()];
  const before = await kept(site);
  await site.redis.stop();
  const { signedIn, stranger } = await callsFor(30_000, site, visitors);
  await site.redis.start();

  expect(new Set(signedIn.map(({ status }) => status))).toEqual(new Set([503]));
  expect(new Set(stranger.map(({ status }) => status))).toEqual(new Set([200]));
  expect(signedIn.flatMap(({ setCookies }) => setCookies)).toEqual([]);
  expect(Math.max(...signedIn.map(({ ms }) => ms))).toBeLessThan(1_000);
  const works = async (): Promise<boolean> =>
    (await Promise.all(visitors.map((visitor) => visitor.profile(site.apps.a)))).every(({ status }) => status === 200);
  await until('all sessions work', works, { withinMs: 5_000 });
  expect(await kept(site)).toEqual(before);
  expect(site.audit('session_ended')).toEqual([]);
  console.log(`${signedIn.length} calls answered 503, ${stranger.length} pages for strangers answered 200`);
});

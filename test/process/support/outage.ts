import { setTimeout as delay } from 'node:timers/promises';
import type { Installation } from './installation.js';
import { percentile } from './steadily.js';
import { until } from '../../support/until.js';
import type { TimedAnswer, Visitor } from './visitor.js';

const PAGE = {
  headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
};

export interface Outage {
  fail: (redis: Installation['redis']) => unknown;
  recover: (redis: Installation['redis']) => unknown;
  durationMs: number;
}

/** What people saw of it. */
export interface OutageReport {
  calls: number;
  statuses: { signedIn: number[]; stranger: number[] };
  /** 95 % of the signed-in answers came that fast. */
  mostWithinMs: number;
  /** Signed-in answers that set a cookie, lead elsewhere or do not say when to come back. */
  wrong: number;
  /** Until every session worked again at every process. */
  recoveredMs: number;
  /** Whether Redis holds the same sessions and token records as before. */
  same: boolean;
}

/** API calls and pages at every process, every 100 ms, while Redis is away; then until everything works. */
export async function goThrough(
  { fail, recover, durationMs }: Outage,
  site: Installation,
  visitors: readonly Visitor[],
): Promise<OutageReport> {
  await callsFor(500, site, visitors); // warm
  const before = await kept(site);
  await fail(site.redis);
  const { signedIn, stranger } = await callsFor(durationMs, site, visitors);
  await recover(site.redis);

  const recoveredAtMs = performance.now();
  await until('all sessions work', async () => {
    const calls = visitors.flatMap((visitor) => site.all.map((app) => visitor.profile(app)));
    return (await Promise.all(calls)).every(({ status }) => status === 200);
  });
  return {
    calls: signedIn.length + stranger.length,
    statuses: { signedIn: statusesOf(signedIn), stranger: statusesOf(stranger) },
    mostWithinMs: Math.round(percentile(signedIn, 95)),
    wrong: signedIn.filter(
      ({ headers, setCookies }) =>
        setCookies.length > 0 || headers['location'] || !(Number(headers['retry-after']) >= 1),
    ).length,
    recoveredMs: Math.round(performance.now() - recoveredAtMs),
    same: JSON.stringify(await kept(site)) === JSON.stringify(before),
  };
}

async function callsFor(
  durationMs: number,
  { all, stranger: someone }: Installation,
  visitors: readonly Visitor[],
): Promise<{ signedIn: TimedAnswer[]; stranger: TimedAnswer[] }> {
  const signedIn: Promise<TimedAnswer>[] = [];
  const stranger: Promise<TimedAnswer>[] = [];
  const endsAtMs = performance.now() + durationMs;
  while (performance.now() < endsAtMs) {
    for (const app of all) {
      signedIn.push(
        ...visitors.flatMap((visitor) => [
          visitor.profile(app),
          visitor.call(app, '/dashboard', PAGE),
        ]),
      );
      stranger.push(someone.call(app, '/', PAGE));
    }
    await delay(100);
  }
  return { signedIn: await Promise.all(signedIn), stranger: await Promise.all(stranger) };
}

const statusesOf = (answers: readonly TimedAnswer[]): number[] => [
  ...new Set(answers.map(({ status }) => status)),
];

async function kept({ redis }: Installation): Promise<(string | null)[][]> {
  const keys = [
    ...(await redis.client.keys('sess:*')),
    ...(await redis.client.keys('grant:*')),
  ].sort();
  return await Promise.all(keys.map(async (key) => [key, await redis.client.get(key)]));
}

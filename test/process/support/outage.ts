import { setTimeout as delay } from 'node:timers/promises';
import type { Installation } from './installation.js';
import type { TimedAnswer, Visitor } from './visitor.js';

const PAGE = { headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' } };

export interface Answers {
  signedIn: TimedAnswer[];
  stranger: TimedAnswer[];
}

/** API calls and pages at every process, every 100 ms for so long: of people who are signed in, and of one who never was. */
export async function callsFor(
  durationMs: number,
  site: Pick<Installation, 'all' | 'stranger'>,
  visitors: readonly Visitor[],
): Promise<Answers> {
  const signedIn: Promise<TimedAnswer>[] = [];
  const stranger: Promise<TimedAnswer>[] = [];
  const endsAtMs = performance.now() + durationMs;
  while (performance.now() < endsAtMs) {
    for (const app of site.all) {
      signedIn.push(...visitors.flatMap((visitor) => [visitor.profile(app), visitor.call(app, '/dashboard', PAGE)]));
      stranger.push(site.stranger.call(app, '/', PAGE));
    }
    await delay(100);
  }
  return { signedIn: await Promise.all(signedIn), stranger: await Promise.all(stranger) };
}

/** Sessions and token records, as Redis has them. */
export async function kept({ redis }: Pick<Installation, 'redis'>): Promise<Record<string, string | null>> {
  const keys = [...(await redis.client.keys('sess:*')), ...(await redis.client.keys('grant:*'))].sort();
  return Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await redis.client.get(key)] as const)));
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Installation } from './installation.js';
import type { TimedAnswer, Visitor } from './visitor.js';

/** A call every `everyMs`, each process in turn, none waiting for the one before it; until `enough`. */
export async function steadily(
  site: Pick<Installation, 'all'>,
  visitor: Visitor,
  { everyMs, enough }: { everyMs: number; enough: () => boolean | Promise<boolean> },
): Promise<TimedAnswer[]> {
  const answers: Promise<TimedAnswer>[] = [];
  while (!(await enough())) {
    const app = site.all[answers.length % site.all.length];
    if (app !== undefined) answers.push(visitor.profile(app));
    await delay(everyMs);
  }
  return await Promise.all(answers);
}

/** In milliseconds: so many per cent of the answers came at least that fast. */
export function percentile(answers: readonly Pick<TimedAnswer, 'ms'>[], percent: number): number {
  const times = answers.map(({ ms }) => ms).sort((a, b) => a - b);
  return times[Math.ceil((times.length * percent) / 100) - 1] ?? Infinity;
}

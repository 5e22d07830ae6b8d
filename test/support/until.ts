import { setTimeout as delay } from 'node:timers/promises';

/** Polls until the condition holds. @throws {Error} naming it, when the deadline comes first. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  { withinMs = 10_000 } = {},
): Promise<void> {
  const endsAtMs = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > endsAtMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await delay(10);
  }
}

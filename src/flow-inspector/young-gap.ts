import type { Step } from './step.js';

/** A number without a step: its process is about to write it, or died. */
const GAP_MS = 2_000;

/**
 * The steps before the first gap that may still be filled, so that no reader misses a step. Steps
 * that expired before a first read leave no gap.
 */
export function upToYoungGap(
  found: readonly (Step | undefined)[],
  { nowMs, isFirstRead }: { nowMs: number; isFirstRead: boolean },
): Step[] {
  const steps: Step[] = [];
  for (const [index, step] of found.entries()) {
    if (step !== undefined) {
      steps.push(step);
      continue;
    }
    const isOld = found.slice(index).some((later) => later && later.atMs < nowMs - GAP_MS);
    const isBeforeTheFirst = isFirstRead && steps.length === 0;
    if (!isOld && !isBeforeTheFirst) break;
  }
  return steps;
}

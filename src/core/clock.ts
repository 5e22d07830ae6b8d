import { setTimeout as delay } from 'node:timers/promises';

/** Time as an argument, so that tests and the model can move it. */
export interface Clock {
  /** Epoch milliseconds; may jump, and differs between processes. */
  now: () => number;
  /** Milliseconds that no change of the wall clock moves. */
  monotonicMs: () => number;
  sleep: (ms: number) => Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms) => delay(ms),
};

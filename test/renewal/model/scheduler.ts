import type { Random } from './random.js';

/** A process of the model. Frozen: its code stands still, what it has sent is carried out. Dead: its code never runs again. */
export interface Host {
  readonly name: string;
  alive: boolean;
  frozenUntilMs: number;
  /** In all, so that a deadline can be judged by the time the process was running. */
  frozenForMs: number;
  /** What this process's wall clock is wrong by. */
  clockErrorMs: number;
}

interface Step {
  /** Whose code goes on; `undefined` for what happens outside of every process. */
  readonly host: Host | undefined;
  readonly label: string;
  readonly dueAtMs: number;
  readonly run: () => unknown;
}

/** How the other side answers a request; nothing arrives at a process that is dead by then. */
export interface Reply<T> {
  resolve(value: T, afterMs?: number): void;
  reject(error: Error, afterMs?: number): void;
}

export type Scheduler = ReturnType<typeof createScheduler>;

const MOST_STEPS = 100_000;

/**
 * Owns virtual time and everything that waits for the outside world. Of the steps that are due it takes a random one, and
 * the code behind it runs until it waits for the outside again.
 * @param disturb called when a request is about to leave: may freeze or kill the process on the spot.
 */
export function createScheduler({
  random,
  disturb,
  log,
}: {
  random: Random;
  disturb: (host: Host) => void;
  log: ((line: string) => void) | undefined;
}) {
  let nowMs = 0;
  let taken = 0;
  let steps: Step[] = [];

  const isFree = (host: Host): boolean => host.frozenUntilMs <= nowMs;

  function add(step: Step): Step {
    steps.push(step);
    return step;
  }

  function drop(step: Step): void {
    steps = steps.filter((other) => other !== step);
  }

  /** One round trip: leaves, is carried out by the other side, is answered, each a step of its own. */
  function request<T>(
    host: Host,
    label: string,
    latencyMs: number,
    carryOut: (reply: Reply<T>) => unknown,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const answer = (words: string, afterMs: number, run: () => void): void =>
        void add({ host, label: `${label} ${words}`, dueAtMs: nowMs + afterMs, run });
      const reply: Reply<T> = {
        resolve: (value, afterMs = 0) => answer('answered', afterMs, () => resolve(value)),
        reject: (error, afterMs = 0) => answer('failed', afterMs, () => reject(error)),
      };
      const carried = (): unknown =>
        add({ host: undefined, label, dueAtMs: nowMs + latencyMs, run: () => carryOut(reply) });
      const leave = (): unknown =>
        isFree(host)
          ? carried()
          : add({ host, label: `${label} leaves`, dueAtMs: nowMs, run: carried });
      if (isDead(host)) return; // and waits for ever
      const leftBefore = random.chance(0.5);
      if (leftBefore) leave();
      disturb(host);
      if (!leftBefore && !isDead(host)) leave();
    });
  }

  function timer(host: Host, label: string, ms: number, run: () => void): Step {
    return add({ host, label, dueAtMs: nowMs + ms, run });
  }

  function sleep(host: Host, ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (!isDead(host)) timer(host, `sleep ${ms}`, ms, resolve);
    });
  }

  /** The next step, at random among those that are due; if none is, time moves on to the first that will be. */
  function takeNext(): Step | undefined {
    steps = steps.filter(({ host }) => host?.alive !== false);
    if (steps.length === 0) return undefined;
    let due = steps.filter((step) => readyAtMs(step) <= nowMs);
    if (due.length === 0) {
      nowMs = steps.reduce((first, step) => Math.min(first, readyAtMs(step)), Infinity);
      due = steps.filter((step) => readyAtMs(step) <= nowMs);
    }
    const [first, ...others] = due;
    if (first === undefined) return undefined;
    const step = random.pick([first, ...others]);
    steps.splice(steps.indexOf(step), 1);
    return step;
  }

  return {
    now: (): number => nowMs,
    taken: (): number => taken,
    /** Skips a stretch of time in which nothing is done. */
    advanceTo(ms: number): void {
      nowMs = Math.max(nowMs, ms);
    },
    add,
    drop,
    request,
    timer,
    sleep,
    /** Runs until `done`, or until nothing is left. @throws when that does not come to an end. */
    async run(done: () => boolean = () => false): Promise<void> {
      const mostSteps = taken + MOST_STEPS;
      await microtasksDone();
      while (!done()) {
        const step = takeNext();
        if (step === undefined) return;
        if (++taken > mostSteps)
          throw new Error(`still running after ${MOST_STEPS} steps: ${step.label}`);
        log?.(
          `${String(nowMs).padStart(9)} ms  ${(step.host?.name ?? '-').padEnd(4)} ${step.label}`,
        );
        await step.run();
        if (step.host !== undefined) await microtasksDone();
        nowMs += random.between(0, 1);
      }
    },
  };
}

const isDead = (host: Host): boolean => !host.alive;
const readyAtMs = ({ host, dueAtMs }: Step): number => Math.max(dueAtMs, host?.frozenUntilMs ?? 0);

/** Node runs the tick queue only when no microtask is left, so the code that was resumed waits for the outside again. */
const microtasksDone = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

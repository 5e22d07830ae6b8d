import { runSeed, type Run } from './model/model.js';
import {
  buildWith,
  deletingWithoutCompare,
  releasingWithoutOwner,
  waitingInTheMargin,
  withoutSecondRead,
  writingWithoutCompare,
} from './model/planted.js';
import type { Plan } from './model/plan.js';

// MODEL_SEEDS=100000 for a soak; MODEL_SEED=123 replays one run and prints its schedule.
const SEEDS = Number(process.env['MODEL_SEEDS'] ?? 2_000);
const REPLAY = process.env['MODEL_SEED'];
const PLANTED_SEEDS = 1_000;

function total(runs: readonly Run[]): Run['counts'] {
  const sum = { steps: 0, renewed: 0, reused: 0, refused: 0, freezes: 0, crashes: 0 };
  for (const { counts } of runs)
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += counts[name];
  return sum;
}

/** The run again, this time written down. */
async function replay(seed: number): Promise<string> {
  const schedule: string[] = [];
  const { plan, violations } = await runSeed(seed, { log: (line) => schedule.push(line) });
  return [`MODEL_SEED=${seed}`, JSON.stringify(plan), ...schedule, '', ...violations].join('\n');
}

describe('the renewal, driven through every order of events', () => {
  const runs: Run[] = [];
  let brokenSeed: number | undefined;

  beforeAll(async () => {
    if (REPLAY !== undefined) console.log(await replay(Number(REPLAY)));
    const startedMs = performance.now();
    const [first, last] = REPLAY === undefined ? [1, SEEDS] : [Number(REPLAY), Number(REPLAY)];
    for (let seed = first; seed <= last; seed++) {
      const run = await runSeed(seed);
      runs.push(run);
      if (run.violations.length === 0) continue;
      brokenSeed = seed;
      break;
    }
    const durationMs = Math.round(performance.now() - startedMs);
    console.log(
      `renewal model: seeds ${first} to ${last} in ${durationMs} ms, ${JSON.stringify(total(runs))}`,
    );
  }, 3_600_000);

  it('keeps its promises in every run', async () => {
    if (brokenSeed !== undefined) throw new Error(await replay(brokenSeed));
  });

  it('was not spared: crashes, pauses, spent tokens that came back and refusals all happened', () => {
    if (REPLAY !== undefined) return;
    for (const count of Object.values(total(runs))) expect(count).toBeGreaterThan(SEEDS / 100);
    for (const rotation of ['strict', 'lenient', 'keep', 'omit']) {
      expect(runs.filter(({ plan }) => plan.rotation === rotation).length).toBeGreaterThan(
        SEEDS / 20,
      );
    }
  });

  it('goes the same way every time it is given the same seed', async () => {
    for (const seed of [3, 18, 366]) expect(await replay(seed)).toBe(await replay(seed));
  });
});

describe('the model itself', () => {
  type Build = ReturnType<typeof buildWith>;

  async function firstViolation(build: Build, overrides: Partial<Plan>, seeds = PLANTED_SEEDS) {
    for (let seed = 1; seed <= seeds; seed++) {
      const { violations } = await runSeed(seed, { build, overrides });
      if (violations[0] !== undefined) return `${violations[0]} (seed ${seed})`;
    }
    return undefined;
  }

  const manyAtOnce: Partial<Plan> = {
    calm: true,
    processes: 3,
    callersPerProcess: 3,
    rounds: ['expired', 'expired'],
    rotation: 'strict',
  };
  const pauses: Partial<Plan> = {
    ...manyAtOnce,
    calm: false,
    freeze: 0.1,
    slowServer: 0.8,
    storageFault: 0,
    serverFault: 0,
    crash: 0,
    signOut: 0,
  };

  it('finds nothing when no fault is planted', async () => {
    expect(
      await firstViolation(
        buildWith(() => ({})),
        {},
        300,
      ),
    ).toBeUndefined();
  }, 60_000);

  it.each<[string, Build, Partial<Plan>, RegExp]>([
    [
      'a holder that does not read the record again',
      withoutSecondRead,
      manyAtOnce,
      /^\(a\) spent twice/,
    ],
    [
      'a refusal that deletes without comparing',
      deletingWithoutCompare,
      { ...pauses, rotation: 'lenient' },
      /^\(b\) deleted/,
    ],
    ['a lease released by somebody who lost it', releasingWithoutOwner, pauses, /^\(a\)/],
    [
      'a renewal written without comparing',
      writingWithoutCompare,
      { calm: true, signOut: 1 },
      /^\([bc]\) (overwritten|revived)/,
    ],
    [
      'a caller that waits in the margin',
      waitingInTheMargin,
      { rounds: ['margin'], slowServer: 1 },
      /^\(g\) waited/,
    ],
  ])(
    'catches %s',
    async (_name, build, overrides, expected) => {
      const found = await firstViolation(build, overrides);
      console.log(`planted: ${_name}; found: ${found ?? 'nothing'}`);
      expect(found).toMatch(expected);
    },
    60_000,
  );
});

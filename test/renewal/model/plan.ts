import { createRandom, type Random } from './random.js';

/** What the server does with refresh tokens. `strict`: a spent one that comes back kills the grant; `lenient`: it is only refused. */
export type Rotation = 'strict' | 'lenient' | 'keep' | 'omit';
export type Round = 'margin' | 'straddle' | 'expired' | 'rejected';

/** One run, drawn from its seed: who takes part, how the server behaves and what may go wrong. Chances are per request. */
export interface Plan {
  readonly calm: boolean;
  readonly processes: number;
  readonly grants: readonly string[];
  readonly callersPerProcess: number;
  readonly rounds: readonly Round[];
  readonly signOut: number;
  readonly rotation: Rotation;
  readonly oldAccessTokenDies: boolean;
  readonly revocation: boolean;
  readonly lifetimeS: number;
  readonly slowServer: number;
  readonly storageFault: number;
  readonly outage: { readonly fromMs: number; readonly untilMs: number };
  readonly serverFault: number;
  readonly freeze: number;
  readonly crash: number;
  readonly clockErrorMs: number;
}

const ROUNDS = ['margin', 'straddle', 'expired', 'rejected'] as const;

/** Every fourth seed is calm: nothing goes wrong, and then more is demanded. */
export function drawPlan(
  seed: number,
  overrides: Partial<Plan> = {},
): { plan: Plan; random: Random } {
  const random = createRandom(seed);
  const calm = overrides.calm ?? seed % 4 === 0;
  const sometimes = (value: number): number => (!calm && random.chance(0.4) ? value : 0);
  const outageFromMs = random.between(0, 1_500);
  const plan: Plan = {
    calm,
    processes: random.between(2, 3),
    grants: random.chance(0.15) ? ['g1', 'g2'] : ['g1'],
    callersPerProcess: random.between(1, 3),
    rounds: Array.from({ length: random.between(1, 2) }, () => random.pick(ROUNDS)),
    signOut: random.chance(0.3) ? 0.7 : 0,
    rotation: random.pick(['strict', 'strict', 'strict', 'lenient', 'keep', 'omit']),
    oldAccessTokenDies: random.chance(0.5),
    revocation: random.chance(0.7),
    lifetimeS: random.pick([3_600, 3_600, 300, 60]),
    slowServer: random.chance(0.3) ? random.pick([0.5, 0.9]) : 0,
    storageFault: sometimes(random.pick([0.02, 0.1, 0.25])),
    outage: {
      fromMs: outageFromMs,
      untilMs: outageFromMs + sometimes(random.pick([0, 0, 3_000, 20_000])),
    },
    serverFault: sometimes(random.pick([0.2, 0.5])),
    freeze: sometimes(random.pick([0.01, 0.05, 0.1])),
    crash: sometimes(random.pick([0.01, 0.05])),
    clockErrorMs: sometimes(random.pick([0, 2_000, 90_000, 3_600_000])),
    ...overrides,
  };
  return { plan, random };
}

/** The same run with nothing going wrong from here on. */
export const fairWeather = (plan: Plan): Plan => ({
  ...plan,
  slowServer: 0,
  storageFault: 0,
  outage: { fromMs: 0, untilMs: 0 },
  serverFault: 0,
  freeze: 0,
  crash: 0,
});

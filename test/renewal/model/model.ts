import {
  renewalDueAtMs,
  tokenSetFromResponse,
  type TokenSet,
} from '../../../src/core/oauth/token-set.js';
import { createTokens } from '../create-tokens.js';
import { createCallers, type Callers } from './callers.js';
import { drawPlan, type Plan, type Round } from './plan.js';
import { createWorld, MARGIN_MS, type World } from './world.js';

export interface Run {
  readonly seed: number;
  readonly plan: Plan;
  readonly violations: readonly string[];
  readonly counts: Readonly<
    Record<'steps' | 'renewed' | 'reused' | 'refused' | 'freezes' | 'crashes', number>
  >;
}

const BEYOND_EVERY_PAUSE_MS = 700_000;

/** One whole run: sign-in, some expiries with everything going wrong that the plan allows, then fair weather in which all must recover. */
export async function runSeed(
  seed: number,
  { build = createTokens, overrides, log }: { build?: typeof createTokens; overrides?: Partial<Plan>; log?: (line: string) => void } = {}, // prettier-ignore
): Promise<Run> {
  const { plan, random } = drawPlan(seed, overrides);
  const world = createWorld({ plan, random, build, log });
  const callers = createCallers(world);
  try {
    await signIn(world);
    world.unleash();
    for (const round of plan.rounds) await play(world, callers, round);
    world.calmDown();
    await settle(world, callers);
    await recover(world, callers);
  } catch (error) {
    world.witness.object(
      '(d) stuck',
      error instanceof Error ? (error.stack ?? error.message) : 'unknown',
    );
  }
  const counts = { steps: world.scheduler.taken(), ...world.counters, ...world.server.counters };
  return { seed, plan, violations: world.witness.violations, counts };
}

async function signIn({ plan, scheduler, server, alive }: World): Promise<void> {
  for (const grantId of plan.grants) {
    const tokenSet = tokenSetFromResponse(server.signIn(grantId), {
      sentAtMs: scheduler.now(),
      requestedScopes: [],
    });
    void alive()[0]?.tokens.establish(grantId, tokenSet, { ttlMs: 1e9 });
    await scheduler.run();
  }
}

/** Callers in every process, and perhaps a sign-out, around one moment of the token's life. */
async function play(world: World, callers: Callers, round: Round): Promise<void> {
  const { plan, random, scheduler, server, witness } = world;
  const renewedBefore = server.counters.renewed;
  const spreadMs = round === 'margin' ? 3_000 : 400;
  let toStart = 0;
  let unserved = 0;

  function at(ms: number, label: string, run: () => unknown): void {
    toStart++;
    const start = (): void => {
      toStart--;
      run();
    };
    scheduler.add({ host: undefined, label, dueAtMs: ms, run: start });
  }
  function inSomeProcess(
    label: string,
    act: (process: ReturnType<World['alive']>[number]) => unknown,
  ): void {
    const [first, ...others] = world.alive();
    if (first === undefined) return;
    const process = random.pick([first, ...others]);
    scheduler.add({
      host: process.host,
      label,
      dueAtMs: scheduler.now(),
      run: () => void act(process),
    });
  }

  for (const grantId of plan.grants) {
    const startMs = Math.max(scheduler.now(), momentOf(round, witness.of(grantId).record) ?? 0);
    const soon = (): number => startMs + random.between(1, spreadMs);
    if (round === 'rejected')
      at(startMs, 'access tokens end', () => server.endAccessTokens(grantId));
    const label = `a call for ${grantId}`;
    for (let caller = 0; caller < plan.processes * plan.callersPerProcess; caller++) {
      const call = async (process: ReturnType<World['alive']>[number]): Promise<void> => {
        if (!(await callers.callApi(process, grantId, { attempts: round === 'rejected' ? 2 : 1 })))
          unserved++;
      };
      at(soon(), label, () => inSomeProcess(label, call));
    }
    if (random.chance(plan.signOut)) {
      const leave = (): void =>
        inSomeProcess('sign-out', (process) => callers.signOut(process, grantId));
      at(soon(), `sign-out of ${grantId}`, leave);
    }
  }
  if (!plan.calm)
    return await scheduler.run(() => toStart === 0 && callers.unanswered().length === 0);

  await scheduler.run();
  const renewed = server.counters.renewed - renewedBefore;
  const signOuts = plan.grants.some((grantId) => witness.of(grantId).signOutTried);
  if (renewed > plan.grants.length || (!signOuts && renewed < plan.grants.length))
    witness.object('(e) one renewal per expiry', `${renewed} in round ${round}`);
  if (unserved > 0 && !signOuts)
    witness.object('(e) not served', `${unserved} calls in round ${round}`);
}

function momentOf(round: Round, record: TokenSet | undefined): number | undefined {
  if (record === undefined) return undefined;
  switch (round) {
    case 'margin':
      return renewalDueAtMs(record, MARGIN_MS) + 5;
    case 'straddle':
      return record.expiresAtMs - 200;
    case 'expired':
      return record.expiresAtMs;
    case 'rejected':
      return undefined;
  }
}

/** Everything under way ends by itself; what is on record then is what the server holds good. */
async function settle(
  { plan, scheduler, server, witness, alive }: World,
  callers: Callers,
): Promise<void> {
  await scheduler.run();
  for (const { host, kind } of callers.unanswered())
    witness.object('(d) never answered', `${kind} in ${host.name}`);
  let idle = 0;
  for (const { tokens } of alive()) void tokens.idle().then(() => idle++);
  await scheduler.run();
  if (idle !== alive().length) witness.object('(d) never idle', '');

  for (const grantId of plan.grants) {
    const { record, calls, refused, signOutTried, signedOut, excused, disturbed } =
      witness.of(grantId);
    const good = server.goodRefreshToken(grantId);
    if (record === undefined && !signOutTried && refused.length === 0)
      witness.object('(f) record gone', grantId);
    if (!excused && !signOutTried && good !== undefined && record?.refreshToken !== good)
      witness.object(
        '(a) newest token set lost',
        `${record?.refreshToken ?? 'nothing'} instead of ${good}`,
      );
    if (!signedOut || !plan.revocation || excused) continue;
    if (!disturbed && good !== undefined) witness.object('(c) not revoked', good);
    for (const { host, issued, failed, refreshToken, writtenAtMs } of calls) {
      const received = !failed && issued && (issued.refresh_token ?? refreshToken);
      if (received && host.alive && writtenAtMs === Infinity && !witness.wasRevoked(received))
        witness.object('(c) received later and not revoked', received);
    }
  }
}

/** Long after every pause, with the server willing: whoever was not signed out is served. */
async function recover(
  { plan, scheduler, server, witness, alive }: World,
  callers: Callers,
): Promise<void> {
  scheduler.advanceTo(scheduler.now() + BEYOND_EVERY_PAUSE_MS);
  for (const grantId of plan.grants) {
    for (const process of alive()) {
      const { record, signedOut } = witness.of(grantId);
      const good = server.goodRefreshToken(grantId);
      const answers: boolean[] = [];
      void callers
        .callApi(process, grantId, { attempts: 2 })
        .then((served) => answers.push(served));
      await scheduler.run();
      const expected = record !== undefined && good === record.refreshToken;
      if (expected && !answers.includes(true))
        witness.object('(e) not served again', `${grantId} in ${process.host.name}`);
      if (signedOut && witness.of(grantId).record !== undefined)
        witness.object('(c) back again', grantId);
    }
  }
}

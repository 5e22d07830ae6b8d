import { createReport, type CoreEvent } from '../../../src/core/events.js';
import { createMemoryKeyValue } from '../../../src/core/storage/memory.js';
import { createReadRecord } from '../../../src/core/storage/read-record.js';
import type { TokenManager } from '../../../src/core/tokens/token-manager.js';
import type { createTokens } from '../create-tokens.js';
import { createModelCipher } from './model-cipher.js';
import { createModelServer, TIMEOUT_MS } from './model-server.js';
import { createModelStorage } from './model-storage.js';
import { fairWeather, type Plan } from './plan.js';
import type { Random } from './random.js';
import { createScheduler, type Host } from './scheduler.js';
import { createWitness } from './witness.js';

const LEASE_MS = TIMEOUT_MS + 3_000;
export const MARGIN_MS = 60_000;
const MOST_FREEZES = 3;
const MOST_CRASHES = 2;

export interface Process {
  readonly host: Host;
  readonly tokens: TokenManager;
}

export type World = ReturnType<typeof createWorld>;

/** Several processes of the real code over one storage and one server, all driven by one scheduler. */
export function createWorld({
  plan,
  random,
  build,
  log,
}: {
  plan: Plan;
  random: Random;
  build: typeof createTokens;
  log: ((line: string) => void) | undefined;
}) {
  const counters = { freezes: 0, crashes: 0 };
  const processes: Process[] = [];
  let weather = fairWeather(plan);
  const scheduler = createScheduler({ random, disturb, log });
  const witness = createWitness({ now: scheduler.now, leaseMs: LEASE_MS, timeoutMs: TIMEOUT_MS });
  const store = createMemoryKeyValue({ now: scheduler.now });
  const parts = { scheduler, random, witness, weather: () => weather };
  const server = createModelServer({ ...parts, plan });
  const storageOf = createModelStorage({ ...parts, store });

  function disturb(host: Host): void {
    if (host.frozenUntilMs > scheduler.now()) return;
    if (counters.freezes < MOST_FREEZES && random.chance(weather.freeze)) {
      const forMs = random.pick([
        random.between(1, 500),
        random.between(3_000, 12_000),
        random.between(13_000, 30_000),
      ]);
      counters.freezes++;
      host.frozenUntilMs = scheduler.now() + forMs;
      host.frozenForMs += forMs;
      log?.(`${host.name} stands still for ${forMs} ms`);
    } else if (counters.crashes < MOST_CRASHES && random.chance(weather.crash)) {
      counters.crashes++;
      host.alive = false;
      witness.died(host);
      log?.(`${host.name} dies`);
      scheduler.add({
        host: undefined,
        label: 'a new process starts',
        dueAtMs: scheduler.now() + random.between(0, 5_000),
        run: start,
      });
    }
  }

  function start(): void {
    const name = `p${processes.length + 1}`;
    const clockErrorMs = random.between(-weather.clockErrorMs, weather.clockErrorMs);
    const host: Host = { name, alive: true, frozenUntilMs: 0, frozenForMs: 0, clockErrorMs };
    const bootedMs = random.between(0, 1e6);
    let ids = 0;
    const keyValue = storageOf(host);
    const endpoint = server.endpointOf(host);
    const emit = (event: CoreEvent): void => {
      if (host.alive) witness.event(host, event);
    };
    const report = createReport(emit, (id) => id);
    const tokens = build({
      keyValue,
      cipher: createModelCipher(name),
      renewWith: ({ refreshToken = '' }) => endpoint.refresh(refreshToken),
      revoke: plan.revocation ? endpoint.revoke : undefined,
      renewalsPerMinute: 10_000,
      timeoutMs: TIMEOUT_MS,
      marginMs: MARGIN_MS,
      report,
      readRecord: createReadRecord({ keyValue, report }),
      fingerprint: (id) => id,
      clock: {
        now: () => scheduler.now() + host.clockErrorMs,
        monotonicMs: () => scheduler.now() + bootedMs,
        sleep: (ms) => scheduler.sleep(host, ms),
      },
      newId: () => `${name}.${++ids}`,
    });
    processes.push({ host, tokens });
  }

  for (let number = 0; number < plan.processes; number++) start();

  return {
    plan,
    random,
    scheduler,
    witness,
    server,
    counters,
    alive: (): Process[] => processes.filter(({ host }) => host.alive),
    /** Lets go wrong what the plan says, an outage counted from now. */
    unleash(): void {
      const { fromMs, untilMs } = plan.outage;
      const startMs = scheduler.now();
      weather = { ...plan, outage: { fromMs: startMs + fromMs, untilMs: startMs + untilMs } };
    },
    calmDown(): void {
      weather = fairWeather(plan);
      for (const { host } of processes) host.clockErrorMs = 0;
    },
  };
}

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from './config/config.js';
import { createOAuthClient, systemClock } from './core/index.js';
import { createFingerprint } from './events.js';
import { createAppClient } from './getbill/app-client.js';
import { connectGetbill } from './getbill/connect.js';
import { createDebtFigures } from './getbill/debt-figures.js';
import { createProfileCache } from './getbill/profile-cache.js';
import { singleFlight } from './limits/single-flight.js';
import { connectStorage } from './redis/connect.js';
import { announceSecret } from './redis/secret-check.js';
import { tracedKeyValue } from './redis/traced.js';
import { createTelemetry } from './telemetry/telemetry.js';
import { createRecentSignIns } from './web/session/recent-sign-ins.js';
import { SessionStore } from './web/session/session-store.js';

export type Services = Awaited<ReturnType<typeof createServices>>;

/** Everything the app is made of, built once. `logTo`: instead of standard output. */
export async function createServices(
  config: Config,
  { now = systemClock.now, logTo }: { now?: () => number; logTo?: NodeJS.WritableStream } = {},
) {
  const { monotonicMs } = systemClock;
  const { metrics, log, context, emit, subscribe } = createTelemetry(config, {
    pendingWrites: () => tokens.pendingWrites(),
    now,
    logTo,
  });
  const encryptionKeys = config.tokenEncryptionKeys.reveal();
  const fingerprint = createFingerprint(encryptionKeys);

  const storage = await connectStorage(config.redis, {
    emit,
    now,
    onError: (error) => log.warn({ err: error }, 'redis connection'),
  });
  const keyValue = tracedKeyValue(storage);
  const { upstream, limits, localLimits, quota, facts, forward } = connectGetbill(config, {
    keyValue,
    emit,
    now,
    monotonicMs,
  });

  const { signIn, tokens, appTokens, idle } = createOAuthClient({
    provider: { ...config.getbill, marginMs: config.refreshMarginMs },
    storage: keyValue,
    encryptionKeys,
    send: upstream.send,
    report: emit,
    clock: { ...systemClock, now },
    renewalsPerMinute: config.rateLimits.refresh,
  });

  const stops: (() => Promise<void>)[] = [];
  const closes: (() => void)[] = [];
  let stopping: Promise<unknown> | undefined;
  /** Ends what keeps responses open, before these are waited for. Resolves when all has ended. */
  async function stop(): Promise<void> {
    stopping ??= Promise.allSettled(stops.map((each) => each()));
    await stopping;
  }

  const once = singleFlight<boolean>();
  async function checkStorage(): Promise<boolean> {
    const startedMs = monotonicMs();
    const ready = await storage.ping().then(
      () => true,
      () => false,
    );
    metrics.observeStorage(monotonicMs() - startedMs);
    return ready;
  }

  return {
    config,
    log,
    emit,
    subscribe,
    context,
    fingerprint,
    now,
    keyValue,
    limits,
    /** Of this process, for what must go on while the storage is full or away. */
    localLimits,
    sessions: new SessionStore({
      keyValue,
      emit,
      now,
      monotonicMs,
      idleMs: config.session.idleMs,
      maxMs: config.session.maxMs,
    }),
    signIn,
    recentSignIns: createRecentSignIns({ keyValue, emit }),
    tokens,
    forward,
    quota,
    facts,
    figures: createDebtFigures({ quota, limits, facts, now }),
    // 0: the flow inspector shows every call
    profiles: createProfileCache({ now, keptMs: config.flowInspector ? 0 : 60_000 }),
    /** The API with the app's own power, for work without a person. */
    appClient: createAppClient({
      forward,
      accessFor: (scope) => appTokens.access([scope]),
      sleep: (ms, signal) => delay(ms, undefined, signal && { signal }),
      requestId: randomUUID(),
    }),
    metrics,
    /** Whether the storage would carry out a sign-in. */
    isStorageReady: () => once('check', checkStorage),
    /** Until `stop`: lets other processes and the doctor see that their SESSION_SECRET differs. */
    async announceSecret(): Promise<void> {
      const end = await announceSecret(storage, {
        secrets: config.session.secrets.reveal(),
        onDiffering: () =>
          log.warn('another process uses another SESSION_SECRET: people are signed out at random'),
      });
      stops.push(() => Promise.resolve(end()));
    },
    /** An optional room registers what has to end before the process does. */
    onStop: (each: () => Promise<void>) => void stops.push(each),
    /** The same for what responses under way still need. */
    onClose: (each: () => void) => void closes.push(each),
    stop,
    /** Waits at most `withinMs` for renewals, by default one lease; then closes all connections. */
    async close({ withinMs = config.getbill.timeoutMs + 3_000 } = {}): Promise<void> {
      const allIdle = Promise.all([idle(), stop()]);
      await Promise.race([allIdle, delay(withinMs, undefined, { ref: false })]);
      await upstream.close();
      for (const each of closes) each();
      await storage.close();
    },
  };
}

import type { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from './config/config.js';
import { createOAuthClient } from './core/index.js';
import type { SignIn } from './core/sign-in/sign-in.js';
import type { KeyValue } from './core/storage/key-value.js';
import type { TokenManager } from './core/tokens/token-manager.js';
import { createFingerprint, type Emit, type RequestContext } from './events.js';
import { createAppClient, type AppClient } from './getbill/app-client.js';
import { connectGetbill } from './getbill/connect.js';
import { createDebtFigures, type DebtFigures } from './getbill/debt-figures.js';
import type { Forward } from './getbill/forward.js';
import type { GrantFacts } from './getbill/grant-facts.js';
import { createProfileCache, type ProfileCache } from './getbill/profile-cache.js';
import type { Quota } from './getbill/quota.js';
import type { SharedLimits } from './limits/shared-limits.js';
import { connectStorage } from './redis/connect.js';
import { announceSecret } from './redis/secret-check.js';
import { tracedKeyValue } from './redis/traced.js';
import type { Metrics } from './telemetry/metrics.js';
import { createTelemetry } from './telemetry/telemetry.js';
import { createRecentSignIns, type RecentSignIns } from './web/session/recent-sign-ins.js';
import { SessionStore } from './web/session/session-store.js';

/** Everything the app is made of, built once. `close` waits for renewals under way, then lets go of Redis and the pool. */
export interface Services {
  readonly config: Config;
  readonly log: Logger;
  readonly emit: Emit;
  readonly subscribe: (reader: Emit) => void;
  readonly context: AsyncLocalStorage<RequestContext>;
  readonly fingerprint: (id: string) => string;
  readonly now: () => number;
  readonly keyValue: KeyValue;
  readonly limits: SharedLimits;
  /** Of this process, for what must go on while the storage is full or away. */
  readonly localLimits: SharedLimits;
  readonly sessions: SessionStore;
  readonly signIn: SignIn;
  readonly recentSignIns: RecentSignIns;
  readonly tokens: TokenManager;
  readonly forward: Forward;
  readonly quota: Quota;
  readonly facts: GrantFacts;
  readonly profiles: ProfileCache;
  readonly figures: DebtFigures;
  /** The API with the app's own power, for work without a person. */
  readonly appClient: AppClient;
  readonly metrics: Metrics;
  /** Whether the storage would carry out a sign-in. */
  isStorageReady(): Promise<boolean>;
  /** Lets other processes and the doctor see when their SESSION_SECRET is another one, until `close`. */
  announceSecret(): Promise<void>;
  /** An optional room registers what has to end before the process does. */
  readonly onStop: (stop: () => Promise<void>) => void;
  /** Ends what would keep responses open, before they are waited for. Resolves when the rooms have stopped. */
  stop(): Promise<void>;
  /** Waits at most `withinMs` for renewals, by default one lease. */
  close(options?: { withinMs?: number }): Promise<void>;
}

export interface Clock {
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds that no clock change moves. */
  readonly monotonicMs: () => number;
}

export async function createServices(
  config: Config,
  { now, monotonicMs, logTo }: Clock & { logTo?: NodeJS.WritableStream },
): Promise<Services> {
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

  const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    delay(ms, undefined, signal && { signal });
  const { signIn, tokens, appTokens, idle } = createOAuthClient({
    provider: { ...config.getbill, marginMs: config.refreshMarginMs },
    storage: keyValue,
    encryptionKeys,
    send: upstream.send,
    report: emit,
    clock: { now, monotonicMs, sleep },
    renewalsPerMinute: config.rateLimits.refresh,
  });

  const stops: (() => Promise<void>)[] = [];
  let stopping: Promise<unknown> | undefined;
  async function stop(): Promise<void> {
    stopping ??= Promise.allSettled(stops.map((each) => each()));
    await stopping;
  }

  let storageCheck: Promise<boolean> | undefined; // one for all who ask at the same time
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
    profiles: createProfileCache({ now, keptMs: config.flowInspector ? 0 : 60_000 }), // 0: the flow inspector shows every call
    appClient: createAppClient({
      forward,
      accessFor: (scope) => appTokens.access([scope]),
      sleep,
      requestId: randomUUID(),
    }),
    metrics,
    isStorageReady() {
      storageCheck ??= checkStorage().finally(() => {
        storageCheck = undefined;
      });
      return storageCheck;
    },
    async announceSecret() {
      const end = await announceSecret(storage, {
        secrets: config.session.secrets.reveal(),
        onDiffering: () =>
          log.warn('another process uses another SESSION_SECRET: people are signed out at random'),
      });
      stops.push(() => Promise.resolve(end()));
    },
    onStop: (each) => void stops.push(each),
    stop,
    async close({ withinMs = config.getbill.timeoutMs + 3_000 } = {}) {
      const allIdle = Promise.all([idle(), stop()]);
      await Promise.race([allIdle, delay(withinMs, undefined, { ref: false })]);
      await upstream.close();
      await storage.close();
    },
  };
}

import type { Clock } from '../clock.js';
import { GrantEndedError, StorageError } from '../errors.js';
import { renewalChannel, traced } from '../events.js';
import type { TokenSet } from '../oauth/token-set.js';
import type { Context, RenewalReason } from './context.js';

const MAX_RECENT = 5_000;
const RECENT_MS = 450_000;
export const RETRY_MS = 200;

export type TokenCache = ReturnType<typeof createTokenCache>;

/**
 * The token sets that this process has used lately: at most 10,000, each at most 15 minutes after its last use, because
 * a session may end in another process, which tells nobody. Only a hint: the session is read on every request.
 */
export function createTokenCache({ now }: Pick<Clock, 'now'>) {
  let recent = new Map<string, TokenSet>();
  let earlier = recent;
  let sinceMs = now();

  /** What is not used while others are `recent` is dropped with `earlier`. */
  function sweep(): void {
    const isRecent = Math.abs(now() - sinceMs) < RECENT_MS; // the clock may be set back
    if (isRecent && recent.size < MAX_RECENT) return;
    earlier = recent;
    recent = new Map();
    sinceMs = now();
  }

  function get(grantId: string): TokenSet | undefined {
    sweep();
    const tokenSet = recent.get(grantId) ?? earlier.get(grantId);
    if (tokenSet !== undefined) recent.set(grantId, tokenSet);
    return tokenSet;
  }

  return {
    get,
    delete(grantId: string): void {
      recent.delete(grantId);
      earlier.delete(grantId);
    },
    sweep,
    /** A slow reader does not put an older one back. */
    set(grantId: string, tokenSet: TokenSet): void {
      if ((get(grantId)?.renewals ?? 0) <= tokenSet.renewals) recent.set(grantId, tokenSet);
    },
  };
}

export type Background = ReturnType<typeof createBackground>;

/** Work that no request waits for. */
export function createBackground({ sleep }: Pick<Clock, 'sleep'>) {
  const running = new Set<Promise<unknown>>();
  return {
    /** Returns the same promise; a failure is its caller's. */
    run<T>(work: Promise<T>): Promise<T> {
      running.add(work);
      void Promise.allSettled([work]).then(() => running.delete(work));
      return work;
    },
    /** Tries again while the storage does not respond. */
    async persist<T>(work: () => Promise<T>): Promise<T> {
      for (;;) {
        try {
          return await work();
        } catch (error) {
          if (!(error instanceof StorageError)) throw error;
          await sleep(RETRY_MS);
        }
      }
    },
    /** Resolves when nothing is under way. */
    async idle(): Promise<void> {
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}

export type Renewals = ReturnType<typeof createRenewals>;

/** One renewal per grant at a time in this process: all who want it share its promise. */
export function createRenewals(
  { report, clock }: Context,
  {
    tokenCache,
    background,
    renewUnderLease,
  }: {
    tokenCache: TokenCache;
    background: Background;
    renewUnderLease: (grantId: string, reason: RenewalReason) => Promise<TokenSet>;
  },
) {
  const running = new Map<string, Promise<TokenSet>>();

  /** It belongs to the server: the end of the request that started it does not cancel it. */
  function run(grantId: string, reason: RenewalReason): Promise<TokenSet> {
    const { trigger } = reason;
    const renewal = traced(renewalChannel, { grantId, trigger }, () =>
      renewAndRemember(grantId, reason),
    ).finally(() => running.delete(grantId));
    running.set(grantId, renewal);
    return background.run(renewal);
  }

  async function renewAndRemember(grantId: string, reason: RenewalReason): Promise<TokenSet> {
    try {
      const tokenSet = await renewUnderLease(grantId, reason);
      tokenCache.set(grantId, tokenSet);
      return tokenSet;
    } catch (error) {
      if (error instanceof GrantEndedError) tokenCache.delete(grantId);
      throw error;
    }
  }

  return {
    /** In the background; its failure is an event, not an error. */
    start(grantId: string, reason: RenewalReason): void {
      if (!running.has(grantId)) run(grantId, reason).catch(() => undefined);
    },
    /** Starts it, or joins the one that is running. Throws as `renewUnderLease`. */
    async wait(grantId: string, reason: RenewalReason): Promise<TokenSet> {
      const renewal = running.get(grantId);
      if (renewal === undefined) return await run(grantId, reason);
      const startedMs = clock.monotonicMs();
      try {
        return await renewal;
      } finally {
        report('refresh_joined', grantId, { waitedMs: clock.monotonicMs() - startedMs });
      }
    },
    isRunning: (grantId: string): boolean => running.has(grantId),
  };
}

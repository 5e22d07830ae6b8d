import type { Clock } from '../clock.js';
import { GrantEndedError } from '../errors.js';
import type { Report } from '../events.js';
import type { TokenSet } from '../oauth/token-set.js';
import { channels, traced } from '../tracing.js';
import type { TokenCache } from './known-tokens.js';
import type { RenewalReason } from './leases.js';
import type { RenewUnderLease } from './renew-under-lease.js';

/** One renewal per grant at a time in this process: all who want it share its promise. */
export interface Renewals {
  /** In the background; its failure is an event, not an error. */
  start(grantId: string, reason: RenewalReason): void;
  /** Starts it, or joins the one that is running. Throws as `RenewUnderLease`. */
  wait(grantId: string, reason: RenewalReason): Promise<TokenSet>;
  isRunning(grantId: string): boolean;
  /** Resolves when those running now have ended. */
  idle(): Promise<void>;
}

export function createRenewals({
  tokenCache,
  renewUnderLease,
  report,
  clock,
}: {
  tokenCache: TokenCache;
  renewUnderLease: RenewUnderLease;
  report: Report;
  clock: Clock;
}): Renewals {
  const running = new Map<string, Promise<TokenSet>>();

  /** It belongs to the server: the end of the request that started it does not cancel it. */
  function run(grantId: string, reason: RenewalReason): Promise<TokenSet> {
    const { trigger } = reason;
    const renewal = traced(channels.renewal, { grantId, trigger }, () =>
      renewAndRemember(grantId, reason),
    ).finally(() => running.delete(grantId));
    running.set(grantId, renewal);
    return renewal;
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
    start(grantId, reason) {
      if (!running.has(grantId)) run(grantId, reason).catch(() => undefined);
    },
    async wait(grantId, reason) {
      const renewal = running.get(grantId);
      if (renewal === undefined) return await run(grantId, reason);
      const startedMs = clock.monotonicMs();
      try {
        return await renewal;
      } finally {
        report('refresh_joined', grantId, { waitedMs: clock.monotonicMs() - startedMs });
      }
    },
    isRunning: (grantId) => running.has(grantId),
    idle: async () => void (await Promise.allSettled(running.values())),
  };
}

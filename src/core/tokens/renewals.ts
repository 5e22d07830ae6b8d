import { GrantEndedError } from '../errors.js';
import { renewalChannel, traced } from '../events.js';
import type { TokenSet } from '../oauth/token-set.js';
import type { RenewalReason } from './context.js';
import type { Parts } from './parts.js';
import { createRenewUnderLease } from './renew-under-lease.js';

/** One renewal per grant at a time in this process: all who want it share its promise. */
export function createRenewals(parts: Parts) {
  const { report, clock, tokenCache, background } = parts;
  const renewUnderLease = createRenewUnderLease(parts);
  const running = new Map<string, Promise<TokenSet>>();

  /** A renewal goes on when the request that started it has ended. */
  function run(grantId: string, reason: RenewalReason): Promise<TokenSet> {
    const renewal = traced(renewalChannel, { grantId, trigger: reason.trigger }, () =>
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
  };
}

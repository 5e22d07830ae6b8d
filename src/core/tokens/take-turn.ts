import { GrantEndedError, UnavailableError } from '../errors.js';
import type { WaitOutcome } from '../events.js';
import type { TokenSet } from '../oauth/token-set.js';
import type { Context, RenewalReason } from './context.js';
import type { Lease } from './leases.js';
import type { Parts } from './parts.js';

const FIRST_POLL_MS = 25;
const MAX_POLL_MS = 200;

/** Our turn to renew, or what the process whose turn it was has renewed. */
type Turn = { lease: Lease } | { tokenSet: TokenSet };

export function createTakeTurn({ report, clock, leaseMs }: Context, parts: Parts) {
  const { leases, records, guards } = parts;

  /**
   * The lease of the grant. While another process has it, this one waits for that process's result, at most
   * as long as a lease lives.
   * @throws {GrantEndedError} the other process ended the grant. @throws {StorageError}
   * @throws {UnavailableError} the other process failed, or is not finished.
   */
  async function takeTurn(grantId: string, reason: RenewalReason): Promise<Turn> {
    const lease = await leases.acquire(grantId);
    if (lease !== undefined) return { lease };
    const startedMs = clock.monotonicMs();
    const [outcome, turn] = await wait(grantId, reason);
    const waitedMs = clock.monotonicMs() - startedMs;
    if (reason.trigger !== 'margin') report('refresh_waited', grantId, { waitedMs, outcome });
    if (turn instanceof Error) throw turn;
    return turn;
  }

  async function wait(
    grantId: string,
    reason: RenewalReason,
  ): Promise<[WaitOutcome, Turn | Error]> {
    const untilMs = clock.monotonicMs() + leaseMs;
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, MAX_POLL_MS)) {
      const pause = await guards.pauseOf(grantId);
      if (pause !== undefined) return ['paused', pause];
      if (clock.monotonicMs() > untilMs) return ['no_lease', notFinished()];
      await clock.sleep(pollMs);
      const stored = await records.read(grantId);
      if (stored === undefined) return ['ended', new GrantEndedError('record_gone')];
      if (!reason.isDue(stored.tokenSet)) return ['renewed', { tokenSet: stored.tokenSet }];
      const lease = await leases.acquire(grantId);
      if (lease !== undefined) return ['renewed', { lease }];
    }
  }

  return takeTurn;
}

const notFinished = (): UnavailableError =>
  new UnavailableError('another process is still renewing this grant', {
    code: 'renewal_not_finished',
    retryAfterS: 1,
    hint: 'a process may have died in mid-renewal; its lease ends by itself',
  });

import { RecordError, UnavailableError } from '../errors.js';
import type { WaitOutcome } from '../events.js';
import type { TokenSet } from '../oauth/token-set.js';
import type { Context, RenewalReason } from './context.js';
import type { RenewalGuards } from './renewal-guards.js';
import type { TokenRecords } from './token-records.js';

/** Held by one process at a time; given back early by `release`, else it ends by itself. */
export interface Lease {
  /** What is left, in milliseconds of the monotonic clock, counted from before it was asked for. */
  remainingMs(): number;
  release(): Promise<void>;
}

/** No lease is that long: such a value was not written by us, or lost its TTL. */
const MAX_LIFETIME_MS = 3_600_000;

/**
 * One holder per grant across processes. A lease is never extended: the work it guards has a
 * deadline below `leaseMs`. If the holder is our own id, the client re-sent the command after a cut
 * connection and the first one had succeeded.
 */
export function createLeases({ keyValue, readRecord, leaseMs, clock, newId }: Context) {
  /** `false`: somebody else has the lease. */
  async function tryToTake(grantId: string, owner: string): Promise<boolean> {
    const key = keyOf(grantId);
    const findOther = async () => {
      const value = await keyValue.setIfAbsent(key, owner, { ttlMs: leaseMs });
      if (value === undefined || value === owner) return undefined;
      return (await keyValue.getWithTtl(key)) ?? { value, ttlMs: 0 };
    };
    const other = await readRecord({ kind: 'lease', key, id: grantId }, findOther, (found) => {
      if (found.ttlMs > MAX_LIFETIME_MS) throw new RecordError('broken');
      return found;
    });
    return other === undefined;
  }

  return {
    /** `undefined` while another holder has it. @throws {StorageError} nobody can tell. */
    async acquire(grantId: string): Promise<Lease | undefined> {
      const owner = newId();
      const endsAtMs = clock.monotonicMs() + leaseMs;
      const release = async (): Promise<void> => {
        await keyValue.compareAndDelete(keyOf(grantId), owner).catch(() => undefined); // it ends
      };
      try {
        if (!(await tryToTake(grantId, owner))) return undefined;
      } catch (error) {
        void release(); // it may be ours nevertheless
        throw error;
      }
      return { remainingMs: () => endsAtMs - clock.monotonicMs(), release };
    },
  };
}

const keyOf = (grantId: string): string => `lease:${grantId}`;

const FIRST_POLL_MS = 25;
const MAX_POLL_MS = 200;

/** Our turn to renew, or what the process whose turn it was has renewed. */
type Turn = { lease: Lease } | { tokenSet: TokenSet };

interface TurnOptions extends Pick<Context, 'report' | 'clock' | 'leaseMs'> {
  readonly leases: ReturnType<typeof createLeases>;
  readonly records: TokenRecords;
  readonly guards: RenewalGuards;
}

export function createTakeTurn({ report, clock, leaseMs, leases, records, guards }: TurnOptions) {
  /**
   * The lease of the grant. While another process has it, this one waits for that process's result,
   * at most as long as a lease lives.
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
      if (clock.monotonicMs() > untilMs) return ['no_lease', notFinished()];
      await clock.sleep(pollMs);
      const pause = await guards.pauseOf(grantId);
      if (pause !== undefined) return ['paused', pause];
      const stored = await records.read(grantId);
      if (stored === undefined) return ['ended', await guards.endOf(grantId)];
      if (!reason.isDue(stored.tokenSet)) return ['renewed', { tokenSet: stored.tokenSet }];
      const lease = await leases.acquire(grantId);
      if (lease !== undefined) return ['taken_over', { lease }];
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

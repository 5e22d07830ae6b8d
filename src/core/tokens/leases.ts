import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import { GrantEndedError, RecordError, UnavailableError } from '../errors.js';
import type { RenewalTrigger, Report, WaitOutcome } from '../events.js';
import type { TokenSet } from '../oauth/token-set.js';
import type { KeyValue } from '../storage/key-value.js';
import type { RenewalGuards } from './renewal-guards.js';
import type { TokenRecords } from './token-records.js';

/** Held by one process at a time; given back early by `release`, else it ends by itself. */
export interface Lease {
  /** What is left, in milliseconds of the monotonic clock, counted from before it was asked for. */
  remainingMs(): number;
  release(): Promise<void>;
}

export interface Leases {
  /** `undefined` while another holder has it. @throws {StorageError} nobody can tell. */
  acquire(grantId: string): Promise<Lease | undefined>;
}

/** No lease is that long: such a value was not written by us, or lost its TTL. */
const MAX_LIFETIME_MS = 3_600_000;

/**
 * One holder per grant across processes. A lease is never extended: the work it guards has a deadline
 * below `lifetimeMs`. If the holder is our own id, the client re-sent the command after a cut
 * connection and the first one had succeeded.
 */
export function createLeases({
  keyValue,
  lifetimeMs,
  report,
  clock,
  newId = randomUUID,
}: {
  keyValue: Pick<KeyValue, 'getWithTtl' | 'setIfAbsent' | 'compareAndDelete' | 'delete'>;
  lifetimeMs: number;
  report: Report;
  clock: Clock;
  newId?: (() => string) | undefined;
}): Leases {
  async function acquire(grantId: string): Promise<Lease | undefined> {
    const key = `lease:${grantId}`;
    const owner = newId();
    const endsAtMs = clock.monotonicMs() + lifetimeMs;
    const release = async (): Promise<void> => {
      await keyValue.compareAndDelete(key, owner).catch(() => undefined); // then it runs out
    };
    try {
      const holder = await keyValue.setIfAbsent(key, owner, { ttlMs: lifetimeMs });
      if (holder !== undefined && holder !== owner) return undefined;
    } catch (error) {
      if (!(error instanceof RecordError)) void release(); // it may have been carried out nevertheless
      throw error;
    }
    return { remainingMs: () => endsAtMs - clock.monotonicMs(), release };
  }

  /** Whether the key held something that never ends, or no lease at all: then it is gone now. */
  async function removeSpoilt(grantId: string): Promise<boolean> {
    const key = `lease:${grantId}`;
    try {
      const held = await keyValue.getWithTtl(key);
      if (held === undefined || held.ttlMs <= MAX_LIFETIME_MS) return false;
      if (!(await keyValue.compareAndDelete(key, held.value))) return false;
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      await keyValue.delete(key);
    }
    report('record_replaced', grantId, { record: 'lease' });
    return true;
  }

  return {
    async acquire(grantId) {
      const lease = await acquire(grantId).catch((error: unknown) => {
        if (!(error instanceof RecordError)) throw error;
      });
      if (lease !== undefined) return lease;
      return (await removeSpoilt(grantId)) ? await acquire(grantId) : undefined;
    },
  };
}

/** Why a renewal is asked for. `isDue`: another caller may have renewed the record meanwhile. */
export interface RenewalReason {
  readonly trigger: RenewalTrigger;
  isDue(tokenSet: TokenSet): boolean;
}

/** The lease, or the result of the process that had it. */
export type Turn = { lease: Lease } | { tokenSet: TokenSet } | { error: Error };

const FIRST_POLL_MS = 25;
const MAX_POLL_MS = 200;

/** Waits while another process renews, at most `waitMs`. @throws {StorageError} */
export function createTakeTurn({
  leases,
  records,
  guards,
  report,
  clock,
  waitMs,
}: {
  leases: Leases;
  records: Pick<TokenRecords, 'read'>;
  guards: Pick<RenewalGuards, 'pauseOf'>;
  report: Report;
  clock: Clock;
  waitMs: number;
}) {
  async function wait(grantId: string, reason: RenewalReason): Promise<[WaitOutcome, Turn]> {
    const untilMs = clock.monotonicMs() + waitMs;
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, MAX_POLL_MS)) {
      const pause = await guards.pauseOf(grantId);
      if (pause !== undefined) return ['paused', { error: pause }];
      if (clock.monotonicMs() > untilMs) return ['no_lease', { error: notFinished() }];
      await clock.sleep(pollMs);
      const stored = await records.read(grantId);
      if (stored === undefined) return ['ended', { error: new GrantEndedError('record_gone') }];
      if (!reason.isDue(stored.tokenSet)) return ['renewed', { tokenSet: stored.tokenSet }];
      const lease = await leases.acquire(grantId);
      if (lease !== undefined) return ['renewed', { lease }];
    }
  }

  return async function takeTurn(grantId: string, reason: RenewalReason): Promise<Turn> {
    const lease = await leases.acquire(grantId);
    if (lease !== undefined) return { lease };
    const startedMs = clock.monotonicMs();
    const [outcome, turn] = await wait(grantId, reason);
    const waitedMs = clock.monotonicMs() - startedMs;
    if (reason.trigger !== 'margin') report('refresh_waited', grantId, { waitedMs, outcome });
    return turn;
  };
}

const notFinished = (): UnavailableError =>
  new UnavailableError('another process is still renewing this grant', {
    code: 'renewal_not_finished',
    retryAfterS: 1,
    hint: 'a process may have died in mid-renewal; its lease ends by itself',
  });

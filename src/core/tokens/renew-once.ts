import { GrantEndedError, StorageError, UnavailableError } from '../errors.js';
import type { Emit } from '../events.js';
import type { TokenSet } from '../oauth/token-set.js';
import type { BackOff } from './back-off.js';
import type { Copies } from './copies.js';
import type { LateWrites } from './late-writes.js';
import type { Lease } from './lease.js';
import type { Need, RenewUnderLease } from './renewal.js';
import type { TokenRecords } from './token-records.js';

const FIRST_POLL_MS = 25;
const SLOWEST_POLL_MS = 200;

/** One renewal per grant at a time: in this process by a shared promise, across processes by the lease. */
export interface RenewOnce {
  /** In the background; its failure is an event, not an error. */
  start(grantId: string, need: Need): void;
  /** Starts it or joins the one that is running here. Throws as `RenewUnderLease`. */
  wait(grantId: string, need: Need): Promise<TokenSet>;
  isRunning(grantId: string): boolean;
  /** Resolves when those running now have ended. */
  idle(): Promise<void>;
}

export function createRenewOnce({
  records,
  copies,
  lateWrites,
  lease,
  backOff,
  renewUnderLease,
  emit,
  fingerprint,
  monotonicMs,
  sleep,
  waitMs,
}: {
  records: Pick<TokenRecords, 'read'>;
  copies: Copies;
  lateWrites: Pick<LateWrites, 'get'>;
  lease: Lease;
  backOff: Pick<BackOff, 'check'>;
  renewUnderLease: RenewUnderLease;
  emit: Emit;
  fingerprint: (id: string) => string;
  monotonicMs: () => number;
  sleep: (ms: number) => Promise<void>;
  /** How long a caller waits for another process to finish. */
  waitMs: number;
}): RenewOnce {
  const running = new Map<string, Promise<TokenSet>>();

  /** It belongs to the server: the end of the request that started it does not cancel it. */
  function run(grantId: string, need: Need): Promise<TokenSet> {
    const flight = acrossProcesses(grantId, need)
      .then(
        (tokenSet) => {
          copies.set(grantId, tokenSet);
          return tokenSet;
        },
        (error: unknown) => {
          if (error instanceof GrantEndedError) copies.delete(grantId);
          throw error;
        },
      )
      .finally(() => running.delete(grantId));
    running.set(grantId, flight);
    return flight;
  }

  async function acrossProcesses(grantId: string, need: Need): Promise<TokenSet> {
    const startedMs = monotonicMs();
    let waited: 'renewed' | 'ended' | 'paused' | 'no_lease' | undefined;
    try {
      for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, SLOWEST_POLL_MS)) {
        if (lateWrites.get(grantId) !== undefined)
          throw new StorageError('a renewed token is still to be written');
        const held = await lease.acquire(grantId);
        if (held !== undefined) {
          try {
            return await renewUnderLease(grantId, held, need);
          } finally {
            if (lateWrites.get(grantId) === undefined) await held.release(); // else the late write does it
          }
        }
        waited = 'paused';
        await backOff.check(grantId);
        waited = 'no_lease';
        if (monotonicMs() - startedMs > waitMs) throw notFinished();
        await sleep(pollMs);
        const stored = await records.read(grantId);
        waited = 'ended';
        if (stored === undefined) throw new GrantEndedError('record_gone');
        waited = 'renewed';
        if (!need.isDue(stored.tokenSet)) return stored.tokenSet;
      }
    } finally {
      if (waited !== undefined && need.trigger !== 'margin') {
        emit({
          type: 'refresh_waited',
          grant: fingerprint(grantId),
          waitedMs: monotonicMs() - startedMs,
          outcome: waited,
        });
      }
    }
  }

  return {
    start(grantId, need) {
      if (!running.has(grantId)) run(grantId, need).catch(() => undefined);
    },
    async wait(grantId, need) {
      const flight = running.get(grantId);
      if (flight === undefined) return await run(grantId, need);
      const startedMs = monotonicMs();
      try {
        return await flight;
      } finally {
        emit({
          type: 'refresh_joined',
          grant: fingerprint(grantId),
          waitedMs: monotonicMs() - startedMs,
        });
      }
    },
    isRunning: (grantId) => running.has(grantId),
    idle: async () => void (await Promise.allSettled(running.values())),
  };
}

const notFinished = (): UnavailableError =>
  new UnavailableError('another process is still renewing this grant', {
    code: 'renewal_not_finished',
    retryAfterS: 1,
    hint: 'a process may have died in mid-renewal; its lease ends by itself',
  });

import { MisconfiguredError, UnavailableError } from '../errors.js';
import type { Emit } from '../events.js';
import type { KeyValue } from '../storage/key-value.js';

const TRANSIENT_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 600_000;
const MISCONFIGURED_PAUSE_MS = 30_000;

/** After a failed renewal nobody calls for this grant again until the pause is over, in any process. */
export interface BackOff {
  /** @throws {UnavailableError} a pause is on; `retryAfterS` says how long, `code` why and `status` how it ended. */
  check(grantId: string): Promise<void>;
  /** The error to throw, after the pause that keeps everybody else from running into the same wall. */
  after(grantId: string, error: unknown): Promise<unknown>;
}

interface Pause {
  code: string;
  status: number;
  untilMs: number;
}

export function createBackOff({
  keyValue,
  emit,
  fingerprint,
  now,
}: {
  keyValue: Pick<KeyValue, 'get' | 'set'>;
  emit: Emit;
  fingerprint: (id: string) => string;
  now: () => number;
}): BackOff {
  const keyOf = (grantId: string): string => `backoff:${grantId}`;
  return {
    async check(grantId) {
      const text = await keyValue.get(keyOf(grantId));
      if (text === undefined) return;
      const { code, status, untilMs } = JSON.parse(text) as Pause;
      throw new UnavailableError('renewals of this grant are paused after a failure', {
        code,
        status,
        retryAfterS: Math.max(1, Math.ceil((untilMs - now()) / 1000)),
      });
    },
    async after(grantId, error) {
      const misconfigured = error instanceof MisconfiguredError;
      if (!misconfigured && !(error instanceof UnavailableError)) return error;
      const pauseMs = misconfigured
        ? MISCONFIGURED_PAUSE_MS
        : Math.min(askedPauseMs(error), LONGEST_PAUSE_MS);
      emit({
        type: 'refresh_failed',
        grant: fingerprint(grantId),
        outcome: misconfigured ? 'misconfigured' : 'transient',
        reason: error.code,
        retryAfterMs: pauseMs,
      });
      const answer = misconfigured ? error : unavailable(error, pauseMs);
      const pause: Pause = { code: answer.code, status: answer.status, untilMs: now() + pauseMs };
      const written = keyValue.set(keyOf(grantId), JSON.stringify(pause), { ttlMs: pauseMs });
      await written.catch(() => undefined); // then the next caller tries again
      return answer;
    },
  };
}

const askedPauseMs = ({ retryAfterS }: UnavailableError): number =>
  retryAfterS === undefined ? TRANSIENT_PAUSE_MS : retryAfterS * 1000;

const unavailable = (cause: UnavailableError, pauseMs: number): UnavailableError =>
  new UnavailableError('the access token could not be renewed now', {
    code: cause.code,
    retryAfterS: Math.ceil(pauseMs / 1000),
    cause,
  });

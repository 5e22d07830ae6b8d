import {
  GrantEndedError,
  GrantRefusedError,
  MisconfiguredError,
  RecordError,
  UnavailableError,
} from '../errors.js';
import { jsonObject } from '../json.js';
import type { Context } from './context.js';

const TRANSIENT_PAUSE_MS = 5_000;
const MISCONFIGURED_PAUSE_MS = 30_000;
const MAX_PAUSE_MS = 600_000;
const MAX_PER_GRANT = 60;
const MINUTE_MS = 60_000;
const ATTEMPT_TTL_MS = 600_000;

export type RenewalGuards = ReturnType<typeof createRenewalGuards>;

/** What must hold before a renewal may call the token endpoint, in any process. */
export function createRenewalGuards({
  keyValue,
  readRecord,
  renewalsPerMinute,
  report,
  fingerprint,
  newId,
}: Context) {
  /** The error to throw: after a failed renewal nobody calls for this grant for a while. */
  async function pauseOf(grantId: string): Promise<UnavailableError | undefined> {
    const key = `backoff:${grantId}`;
    const find = () => keyValue.getWithTtl(key);
    return await readRecord({ kind: 'pause', key, id: grantId }, find, pauseFrom);
  }

  async function countOne(grantId: string, key: string) {
    const find = async () => {
      const counted = await keyValue.increment(key, { ttlMs: MINUTE_MS });
      return { ...counted, value: String(counted.count) };
    };
    const counted = await readRecord({ kind: 'rate', key, id: grantId }, find, (found) => {
      if (found.ttlMs > MINUTE_MS) throw new RecordError('broken');
      return found;
    });
    return counted ?? { count: 0, ttlMs: 0 };
  }

  return {
    pauseOf,
    /** Counts a call. @throws {UnavailableError} paused, or too many, of this grant or in all. */
    async assertMayCall(grantId: string): Promise<void> {
      const pause = await pauseOf(grantId);
      if (pause !== undefined) throw pause;
      const limits = [
        [`rate:refresh:${grantId}`, MAX_PER_GRANT],
        ['rate:refresh', renewalsPerMinute],
      ] as const;
      for (const [key, max] of limits) {
        const { count, ttlMs } = await countOne(grantId, key);
        if (count <= max) continue;
        const reason = 'refresh_rate_limited';
        report('refresh_failed', grantId, { outcome: 'limited', reason, retryAfterMs: ttlMs });
        const options = { code: reason, retryAfterS: seconds(ttlMs) };
        throw new UnavailableError('too many renewals in this minute', options);
      }
    },
    /**
     * Notes that a refresh token is being spent. @returns whether an earlier attempt with it never
     * ended: then its response was lost, and a refusal is no revocation (`answer_lost`).
     */
    async noteAttempt(grantId: string, refreshToken: string | undefined): Promise<boolean> {
      if (refreshToken === undefined) return false;
      const key = `attempt:${grantId}`;
      const sameToken = `${fingerprint(refreshToken)}.`;
      const mine = sameToken + newId();
      const findOther = async () => {
        const value = await keyValue.setIfAbsent(key, mine, { ttlMs: ATTEMPT_TTL_MS });
        return value === undefined || value === mine ? undefined : { value };
      };
      const parse = ({ value }: { value: string }) => {
        if (value.startsWith(sameToken)) return 'same token';
        if (!/^[^.]{8,}\../.test(value)) throw new RecordError('broken');
        return 'another token';
      };
      const earlier = await readRecord({ kind: 'attempt', key, id: grantId }, findOther, parse);
      if (earlier === 'another token') await keyValue.set(key, mine, { ttlMs: ATTEMPT_TTL_MS });
      return earlier === 'same token';
    },
    /** The error to throw, after the pause that keeps all others from failing in the same way. */
    async pauseAfter(grantId: string, error: unknown): Promise<unknown> {
      const misconfigured = error instanceof MisconfiguredError;
      if (!misconfigured && !(error instanceof UnavailableError)) return error;
      const pauseMs = misconfigured ? MISCONFIGURED_PAUSE_MS : askedPauseMs(error);
      const outcome = misconfigured ? 'misconfigured' : 'transient';
      report('refresh_failed', grantId, { outcome, reason: error.code, retryAfterMs: pauseMs });
      const result = misconfigured ? error : unavailable(error, pauseMs);
      const pause = JSON.stringify({ code: result.code, status: result.status });
      const written = keyValue.set(`backoff:${grantId}`, pause, { ttlMs: pauseMs });
      await written.catch(() => undefined); // then the next caller tries again
      return result;
    },
    /** The error of a grant without a record. An attempt that is still noted was refused. */
    async endOf(grantId: string): Promise<GrantEndedError> {
      const attempt = await keyValue.get(`attempt:${grantId}`).catch(() => undefined);
      return new GrantEndedError('record_gone', attempt && new GrantRefusedError(undefined));
    },
    forgetAttempt: (grantId: string): Promise<void> =>
      keyValue.delete(`attempt:${grantId}`).catch(() => undefined), // then a reason may be wrong
  };
}

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));

const askedPauseMs = ({ retryAfterS = TRANSIENT_PAUSE_MS / 1000 }: UnavailableError): number =>
  Math.min(Math.max(1_000, retryAfterS * 1000), MAX_PAUSE_MS);

/** The storage's TTL says when a pause ends, so that no process needs another one's clock. */
function pauseFrom({ value, ttlMs }: { value: string; ttlMs: number }): UnavailableError {
  const { code, status } = jsonObject(value) ?? {};
  const isOurs = typeof code === 'string' && /^\w{1,64}$/.test(code);
  if (!isOurs || (status !== 502 && status !== 503) || ttlMs > MAX_PAUSE_MS)
    throw new RecordError('broken');
  const options = { code, status, retryAfterS: seconds(ttlMs) };
  return new UnavailableError('renewals of this grant are paused after a failure', options);
}

const unavailable = (cause: UnavailableError, pauseMs: number): UnavailableError =>
  new UnavailableError('the access token could not be renewed now', {
    code: cause.code,
    retryAfterS: seconds(pauseMs),
    cause,
  });

import { randomUUID } from 'node:crypto';
import { MisconfiguredError, RecordError, UnavailableError } from '../errors.js';
import type { Fingerprint, RecordKind, Report } from '../events.js';
import { jsonObject } from '../json.js';
import type { KeyValue } from '../storage/key-value.js';

const TRANSIENT_PAUSE_MS = 5_000;
const MISCONFIGURED_PAUSE_MS = 30_000;
const MAX_PAUSE_MS = 600_000;
const MAX_PER_GRANT = 60;
const MINUTE_MS = 60_000;
const ATTEMPT_TTL_MS = 600_000;

/** What must hold before a renewal may call the token endpoint, in any process. */
export interface RenewalGuards {
  /** After a failed renewal nobody calls for this grant until the pause is over: the error to throw. */
  pauseOf(grantId: string): Promise<UnavailableError | undefined>;
  /** @throws {UnavailableError} paused, or too many renewals in this minute, of this grant or in all. */
  enter(grantId: string): Promise<void>;
  /**
   * Notes that a refresh token is being spent, and whether an earlier attempt with this very token
   * had no end: then its response was lost, and a refusal is no revocation (`answer_lost`).
   */
  noteAttempt(grantId: string, refreshToken: string | undefined): Promise<{ earlier: boolean }>;
  /** The error to throw, after the pause that keeps all others from failing in the same way. */
  failed(grantId: string, error: unknown): Promise<unknown>;
  done(grantId: string): Promise<void>;
}

export function createRenewalGuards({
  keyValue,
  renewalsPerMinute,
  report,
  fingerprint,
  newId = randomUUID,
}: {
  keyValue: KeyValue;
  renewalsPerMinute: number;
  report: Report;
  fingerprint: Fingerprint;
  newId?: (() => string) | undefined;
}): RenewalGuards {
  /** Carries out a command; a value that is not ours is removed, and the command sees none. */
  async function orReplaced<T>(
    grantId: string,
    [record, key]: readonly [RecordKind, string],
    command: () => Promise<T>,
  ): Promise<T> {
    try {
      return await command();
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      await keyValue.delete(key);
      report('record_replaced', grantId, { record });
      return await command();
    }
  }

  /** The storage's TTL says when a pause ends, so that no process needs another one's clock. */
  function readPause(grantId: string): Promise<UnavailableError | undefined> {
    const key = `backoff:${grantId}`;
    return orReplaced(grantId, ['pause', key], async () => {
      const stored = await keyValue.getWithTtl(key);
      if (stored === undefined) return undefined;
      const pause = pauseFrom(stored.value);
      if (pause === undefined || stored.ttlMs > MAX_PAUSE_MS) throw new RecordError('broken');
      const message = 'renewals of this grant are paused after a failure';
      return new UnavailableError(message, { ...pause, retryAfterS: seconds(stored.ttlMs) });
    });
  }

  function countOne(grantId: string, key: string): Promise<{ count: number; ttlMs: number }> {
    return orReplaced(grantId, ['rate', key], async () => {
      const counted = await keyValue.increment(key, { ttlMs: MINUTE_MS });
      if (counted.ttlMs > MINUTE_MS) throw new RecordError('broken');
      return counted;
    });
  }

  return {
    pauseOf: readPause,
    async enter(grantId) {
      const pause = await readPause(grantId);
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
    async noteAttempt(grantId, refreshToken) {
      if (refreshToken === undefined) return { earlier: false };
      const key = `attempt:${grantId}`;
      const sameToken = `${fingerprint(refreshToken)}.`;
      const mine = sameToken + newId();
      const ttlMs = ATTEMPT_TTL_MS;
      return await orReplaced(grantId, ['attempt', key], async () => {
        const present = await keyValue.setIfAbsent(key, mine, { ttlMs });
        if (present === undefined || present === mine) return { earlier: false };
        if (present.startsWith(sameToken)) return { earlier: true };
        if (!/^[^.]{8,}\../.test(present)) throw new RecordError('broken');
        await keyValue.set(key, mine, { ttlMs });
        return { earlier: false };
      });
    },
    async failed(grantId, error) {
      const misconfigured = error instanceof MisconfiguredError;
      if (!misconfigured && !(error instanceof UnavailableError)) return error;
      const pauseMs = misconfigured ? MISCONFIGURED_PAUSE_MS : askedPauseMs(error);
      report('refresh_failed', grantId, {
        outcome: misconfigured ? 'misconfigured' : 'transient',
        reason: error.code,
        retryAfterMs: pauseMs,
      });
      const result = misconfigured ? error : unavailable(error, pauseMs);
      const pause = JSON.stringify({ code: result.code, status: result.status });
      const written = keyValue.set(`backoff:${grantId}`, pause, { ttlMs: pauseMs });
      await written.catch(() => undefined); // then the next caller tries again
      return result;
    },
    done: (grantId) => keyValue.delete(`attempt:${grantId}`),
  };
}

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));

const askedPauseMs = ({ retryAfterS }: UnavailableError): number =>
  retryAfterS === undefined
    ? TRANSIENT_PAUSE_MS
    : Math.min(Math.max(1_000, retryAfterS * 1000), MAX_PAUSE_MS);

function pauseFrom(text: string): { code: string; status: number } | undefined {
  const { code, status } = jsonObject(text) ?? {};
  const isOurs = typeof code === 'string' && /^\w{1,64}$/.test(code);
  return isOurs && (status === 502 || status === 503) ? { code, status } : undefined;
}

const unavailable = (cause: UnavailableError, pauseMs: number): UnavailableError =>
  new UnavailableError('the access token could not be renewed now', {
    code: cause.code,
    retryAfterS: seconds(pauseMs),
    cause,
  });

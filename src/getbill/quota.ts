import { RequestError, UnavailableError } from '../errors.js';
import type { Emit } from '../events.js';
import type { Allowances } from '../limits/shared-limits.js';
import type { KeyValue } from '../core/storage/key-value.js';
import type { ApiAnswer } from './answer.js';
import type { LimitClass } from './endpoints.js';
import { NOTHING_SEEN, retryAfterS, seenIn, seenOnRecord, type Seen } from './rate-limit-headers.js';

const LOOK_EVERY_MS = 1_000;

/** Our own `page`s go on when little is left; `proxy` is `/api`, where a session has a share; a `job` leaves the rest to people. */
export type Caller = 'page' | 'proxy' | 'job';

/**
 * GetBill counts per OAuth client, so all our users share one quota. The last seen numbers are kept in shared storage
 * and looked at once a second; a 429 is written at once.
 */
export interface Quota {
  /**
   * @throws {UnavailableError} 429 while GetBill's own limit is reached, or nearly. @throws {RequestError} 429 past this session's share.
   */
  spend(limitClass: LimitClass, grantId: string, caller: Caller): Promise<void>;
  /** What the headers of an answer say; every process knows within a second. */
  learn(limitClass: LimitClass, headers: Readonly<Record<string, string>>): void;
  /** After a 429: nobody calls for so many seconds. */
  block(limitClass: LimitClass, answer: Pick<ApiAnswer, 'headers' | 'json'>): Promise<number>;
  left(limitClass: LimitClass): number | undefined;
  /** For people; `undefined` before the first answer, and after the window has ended. */
  seen(limitClass: LimitClass): Promise<{ left: number; limit: number; resetsAt: Date } | undefined>;
}

export function createQuota({
  keyValue,
  allowances,
  emit,
  now,
}: {
  keyValue: Pick<KeyValue, 'get' | 'set'>;
  allowances: Pick<Allowances, 'spend'>;
  emit: Emit;
  now: () => number;
}): Quota {
  const keyOf = (limitClass: LimitClass): string => `quota:${limitClass}`;
  const seen = new Map<LimitClass, Seen>();
  const lookedAtMs = new Map<LimitClass, number>();
  const wroteAtMs = new Map<LimitClass, number>();

  async function look(limitClass: LimitClass): Promise<void> {
    lookedAtMs.set(limitClass, now());
    const shared = seenOnRecord(await keyValue.get(keyOf(limitClass)));
    if (shared !== undefined) merge(limitClass, shared);
  }
  const isLookDue = (limitClass: LimitClass): boolean =>
    now() - (lookedAtMs.get(limitClass) ?? -Infinity) >= LOOK_EVERY_MS;

  /** The later window wins, and a limit that has changed; else the smaller remainder, since answers arrive out of order. */
  function merge(limitClass: LimitClass, other: Seen): void {
    const mine = seen.get(limitClass);
    const blockedUntilMs = Math.max(mine?.blockedUntilMs ?? 0, other.blockedUntilMs);
    const isSameWindow = other.resetAtMs === mine?.resetAtMs;
    if (mine === undefined || other.resetAtMs > mine.resetAtMs || (isSameWindow && other.limit !== mine.limit)) {
      seen.set(limitClass, { ...other, blockedUntilMs });
      return;
    }
    if (isSameWindow) mine.remaining = Math.min(mine.remaining, other.remaining);
    mine.blockedUntilMs = blockedUntilMs;
  }

  return {
    async spend(limitClass, grantId, caller) {
      if (isLookDue(limitClass)) await look(limitClass);
      const known = seen.get(limitClass);
      if (known === undefined) return;
      if (known.blockedUntilMs > now()) throw exhausted(limitClass, known.blockedUntilMs - now());
      if (caller === 'page' || known.limit === 0) return;
      const isLow = known.resetAtMs > now() && known.remaining < known.limit * 0.05;
      if (isLow) throw exhausted(limitClass, known.resetAtMs - now());
      if (caller === 'job') return;
      const share = { most: Math.floor(known.limit / 4), windowMs: known.windowMs };
      const spent = allowances.spend(`share:${limitClass}:${grantId}`, share);
      const { granted, resetAtMs } = spent instanceof Promise ? await spent : spent;
      if (!granted) throw shareUsed(resetAtMs - now());
    },
    learn(limitClass, headers) {
      const update = seenIn(headers, now());
      if (update === undefined) return;
      merge(limitClass, update);
      if (now() - (wroteAtMs.get(limitClass) ?? -Infinity) < LOOK_EVERY_MS) return;
      wroteAtMs.set(limitClass, now());
      void write(limitClass);
    },
    async block(limitClass, { headers, json }) {
      const waitS = retryAfterS(headers, json, now());
      merge(limitClass, { ...(seen.get(limitClass) ?? NOTHING_SEEN), blockedUntilMs: now() + waitS * 1000 });
      emit({ type: 'quota_exhausted', limitClass, retryAfterMs: waitS * 1000 });
      await write(limitClass);
      return waitS;
    },
    left: (limitClass) => seen.get(limitClass)?.remaining,
    async seen(limitClass) {
      if (isLookDue(limitClass)) await look(limitClass);
      const known = seen.get(limitClass);
      if (known === undefined || known.limit === 0 || known.resetAtMs <= now()) return undefined;
      const blocked = known.blockedUntilMs > now();
      return {
        left: blocked ? 0 : known.remaining,
        limit: known.limit,
        resetsAt: new Date(blocked ? known.blockedUntilMs : known.resetAtMs),
      };
    },
  };

  /** What cannot be written now is learnt again from the next answer. */
  async function write(limitClass: LimitClass): Promise<void> {
    const value = seen.get(limitClass);
    if (value === undefined) return;
    const ttlMs = Math.max(value.resetAtMs, value.blockedUntilMs) - now();
    if (ttlMs <= 0) return;
    await keyValue.set(keyOf(limitClass), JSON.stringify(value), { ttlMs }).catch(() => undefined);
  }
}

const exhausted = (limitClass: LimitClass, waitMs: number): UnavailableError =>
  new UnavailableError(`GetBill's hourly limit for ${limitClass} calls is used up`, {
    code: 'getbill_quota_used',
    status: 429,
    retryAfterS: Math.max(1, Math.ceil(waitMs / 1000)),
    hint: 'all users of this app share one quota at GetBill; ask them for more, or cache more',
  });

const shareUsed = (waitMs: number): RequestError =>
  new RequestError("this session has used its share of GetBill's limit", {
    code: 'getbill_share_used',
    status: 429,
    retryAfterS: Math.max(1, Math.ceil(waitMs / 1000)),
  });

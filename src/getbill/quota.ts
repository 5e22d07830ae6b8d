import type { IncomingHttpHeaders } from 'node:http';
import { StorageError, UnavailableError } from '../errors.js';
import type { Limit } from '../limits/shared-limits.js';
import { createClassQuota, type QuotaDeps } from './class-quota.js';
import type { LimitClass } from './endpoints.js';

const LOW = 0.05;

/**
 * A `page` of ours goes on when little is left; `proxy` is `/api`; a `job` without a person leaves
 * the rest to people.
 */
export type Caller = 'page' | 'proxy' | 'job';

/**
 * GetBill counts per OAuth client, so all our users share one quota. What GetBill last said is kept
 * in the storage and read once a second; a 429 is written at once. The storage measures how long it
 * holds (TTL), so no clocks are compared.
 */
export interface Quota {
  /**
   * @throws {UnavailableError} 429 while GetBill's own limit is reached; or nearly, for a caller
   * that can wait.
   */
  admit(limitClass: LimitClass, caller: Caller): Promise<void>;
  /** The limit to take shares of. `undefined`: GetBill does not say one. */
  limit(limitClass: LimitClass): Limit | undefined;
  /** From the headers of a response; every process knows within a second. */
  learn(limitClass: LimitClass, headers: IncomingHttpHeaders): void;
  /** After a 429: nobody calls for so many seconds. */
  block(limitClass: LimitClass, headers: IncomingHttpHeaders, json: unknown): Promise<number>;
  left(limitClass: LimitClass): number | undefined;
  /** Drops everything that GetBill said: the demo's sandbox was reset. */
  forget(): Promise<void>;
  /** For people; `undefined` before the first response, and after the window has ended. */
  lastKnown(
    limitClass: LimitClass,
  ): Promise<{ left: number; limit: number; resetsAt: Date } | undefined>;
}

export function createQuota(deps: QuotaDeps): Quota {
  const classes = { read: createClassQuota('read', deps), write: createClassQuota('write', deps) };
  function refusal(limitClass: LimitClass, waitMs: number): UnavailableError {
    deps.emit({ type: 'api_not_asked', limitClass, retryAfterMs: waitMs });
    return new UnavailableError(`GetBill's hourly limit for ${limitClass} calls is used up`, {
      code: 'getbill_quota_used',
      status: 429,
      retryAfterS: Math.max(1, Math.ceil(waitMs / 1000)),
      hint: 'all users of this app share one quota at GetBill; ask them for more, or cache more',
    });
  }

  return {
    async admit(limitClass, caller) {
      const { read, blockedForMs, current } = classes[limitClass];
      await read();
      if (blockedForMs() > 0) throw refusal(limitClass, blockedForMs());
      const known = current();
      const isLow = known !== undefined && known.quota.remaining < known.quota.limit * LOW;
      if (isLow && caller !== 'page') throw refusal(limitClass, known.resetInMs);
    },
    limit: (limitClass) => classes[limitClass].limit(),
    learn: (limitClass, headers) => classes[limitClass].learn(headers),
    async block(limitClass, ...response) {
      const waitS = await classes[limitClass].block(...response);
      deps.emit({ type: 'quota_exhausted', limitClass, retryAfterMs: waitS * 1000 });
      return waitS;
    },
    forget: async () => void (await Promise.all([classes.read.forget(), classes.write.forget()])),
    left: (limitClass) => classes[limitClass].current()?.quota.remaining,
    async lastKnown(limitClass) {
      const { read, blockedForMs, current } = classes[limitClass];
      await read().catch(ignoreStorage); // then what this process knows
      const known = current();
      if (known === undefined) return undefined;
      const isBlocked = blockedForMs() > 0;
      return {
        left: isBlocked ? 0 : known.quota.remaining,
        limit: known.quota.limit,
        resetsAt: new Date(deps.now() + (isBlocked ? blockedForMs() : known.resetInMs)),
      };
    },
  };
}

/** For `catch`: the storage cannot count now, which stops no call. */
export function ignoreStorage(error: unknown): undefined {
  if (!(error instanceof StorageError)) throw error;
}

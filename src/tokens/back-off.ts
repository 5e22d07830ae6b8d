import { UnavailableError, type AppError } from '../errors.js';
import type { KeyValue } from '../store/key-value.js';

/** After a failed renewal nobody calls for this grant again until the pause is over, in any process. */
export interface BackOff {
  /** @throws {UnavailableError} a pause is on; `retryAfterS` says how long, `code` why and `status` how it ended. */
  check(grantId: string): Promise<void>;
  start(grantId: string, reason: AppError, options: { pauseMs: number }): Promise<void>;
}

interface Pause {
  code: string;
  status: number;
  untilMs: number;
}

export function createBackOff({
  keyValue,
  now,
}: {
  keyValue: Pick<KeyValue, 'get' | 'set'>;
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
    async start(grantId, { code, status }, { pauseMs }) {
      const pause: Pause = { code, status, untilMs: now() + pauseMs };
      await keyValue.set(keyOf(grantId), JSON.stringify(pause), { ttlMs: pauseMs });
    },
  };
}

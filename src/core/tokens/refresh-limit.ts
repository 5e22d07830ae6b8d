import { UnavailableError } from '../errors.js';
import type { KeyValue } from '../storage/key-value.js';

const PER_GRANT_PER_MINUTE = 60;

/** Renewals a minute: of one grant (an API that rejects every token must not become a storm) and of the installation. */
export function refreshLimit({
  keyValue,
  perMinute,
}: {
  keyValue: Pick<KeyValue, 'increment'>;
  perMinute: number;
}) {
  return async function limit(grantId: string): Promise<void> {
    for (const [key, most] of [
      [`rate:refresh:${grantId}`, PER_GRANT_PER_MINUTE],
      ['rate:refresh', perMinute],
    ] as const) {
      const { count, ttlMs } = await keyValue.increment(key, { ttlMs: 60_000 });
      if (count > most) {
        throw new UnavailableError('too many renewals in this minute', {
          code: 'refresh_rate_limited',
          retryAfterS: Math.ceil(ttlMs / 1000),
          hint: 'RATE_LIMIT_REFRESH, or an API that rejects every token it is sent',
        });
      }
    }
  };
}

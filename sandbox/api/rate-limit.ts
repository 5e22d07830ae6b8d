interface Limit {
  limit: number;
  windowS: number;
}

export interface LimitState {
  allowed: boolean;
  limit: number;
  remaining: number;
  /** When the oldest counted request leaves the window. */
  resetAtMs: number;
  windowS: number;
}

const slicesPerWindow = 60;

/**
 * A sliding window, counted in sixtieths of it, so that a million requests cost no more than ten.
 */
export interface RateLimiter {
  /** @param count false: only look, for a response that is not charged to the client. */
  check(key: string, limit: Limit, options?: { count: boolean }): LimitState;
  reset(): void;
}

export function createRateLimiter({ clock }: { clock: () => number }): RateLimiter {
  const buckets = new Map<string, Map<number, number>>();
  return {
    check(key, { limit, windowS }, { count } = { count: true }) {
      const sliceMs = (windowS * 1000) / slicesPerWindow;
      const slice = Math.floor(clock() / sliceMs);
      const bucketKey = `${key}:${windowS}`;
      const bucket = buckets.get(bucketKey) ?? new Map<number, number>();
      buckets.set(bucketKey, bucket);
      let used = 0;
      let oldest = slice;
      for (const [at, hits] of bucket) {
        if (at <= slice - slicesPerWindow || at > slice) bucket.delete(at);
        else {
          used += hits;
          oldest = Math.min(oldest, at);
        }
      }
      const allowed = used < limit;
      if (allowed && count) bucket.set(slice, (bucket.get(slice) ?? 0) + 1);
      const remaining = Math.max(0, limit - used - (count ? 1 : 0));
      return {
        allowed,
        limit,
        remaining,
        resetAtMs: (oldest + slicesPerWindow) * sliceMs,
        windowS,
      };
    },
    reset: () => buckets.clear(),
  };
}

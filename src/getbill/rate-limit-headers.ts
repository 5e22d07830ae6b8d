type Headers = Readonly<Record<string, string>>;

const LONGEST_WINDOW_S = 86_400;

/** What GetBill last said about a limit: `X-RateLimit-*`, and 429. Epoch milliseconds. */
export interface Seen {
  limit: number;
  remaining: number;
  resetAtMs: number;
  windowMs: number;
  /** No call before this instant: GetBill said 429. */
  blockedUntilMs: number;
}

export const NOTHING_SEEN: Seen = { limit: 0, remaining: 0, resetAtMs: 0, windowMs: 0, blockedUntilMs: 0 };

/** What another process wrote; `undefined` also for what is not ours. */
export function seenOnRecord(text: string | undefined): Seen | undefined {
  try {
    const value = JSON.parse(text ?? '{}') as Seen;
    const isOurs = Object.keys(NOTHING_SEEN).every((name) => Number.isFinite(value[name as keyof Seen]));
    return isOurs ? value : undefined;
  } catch {
    return undefined;
  }
}

/** `undefined` when the headers are missing or make no sense. */
export function seenIn(headers: Headers, nowMs: number): Seen | undefined {
  const number = (name: string): number => Number(headers[name] ?? NaN);
  const [limit, remaining] = [number('x-ratelimit-limit'), number('x-ratelimit-remaining')];
  const [resetS, windowS] = [number('x-ratelimit-reset'), number('x-ratelimit-window')];
  if (!(limit > 0 && remaining >= 0 && resetS > 0 && windowS > 0 && windowS <= LONGEST_WINDOW_S)) return undefined;
  const resetAtMs = Math.min(resetS * 1000, nowMs + windowS * 1000);
  return { limit, remaining, resetAtMs, windowMs: windowS * 1000, blockedUntilMs: 0 };
}

/** `Retry-After`, else GetBill's `details.retry_after`, else `X-RateLimit-Reset`, else a minute: whole seconds, 1 to a day. */
export function retryAfterS(headers: Headers, json: unknown, nowMs: number): number {
  const details = (json as { details?: { retry_after?: unknown } } | undefined)?.details;
  const candidates = [
    Number(headers['retry-after'] ?? NaN),
    Number(details?.retry_after ?? NaN),
    Number(headers['x-ratelimit-reset'] ?? NaN) - nowMs / 1000,
    60,
  ];
  const chosen = candidates.find((seconds) => seconds >= 0) ?? 60;
  return Math.min(Math.max(1, Math.ceil(chosen)), LONGEST_WINDOW_S);
}

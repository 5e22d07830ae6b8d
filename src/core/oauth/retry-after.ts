/** A day: a server that asks for more is asked again after it. */
export const MAX_RETRY_AFTER_S = 86_400;

const DELAY = /^\d+(?:\.\d+)?$/;
/** From here on a number is a point in time, as in `X-RateLimit-Reset`, and not a wait. */
const MIN_EPOCH_S = 1_000_000_000;
/** As in RFC 9110 section 5.6.7, and PHP's; `Date.parse` alone would also accept "1 apple". */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? [\w: -]{15,30}(?:\+0000)?$/i;

/**
 * `Retry-After` (RFC 9110 section 10.2.3) in whole seconds, 1 to a day; `undefined` when it is
 * missing or makes no sense. A date is compared with the response's own `Date`, else our clock.
 */
export function parseRetryAfter(
  value: unknown,
  { nowMs, date }: { nowMs: number; date?: unknown },
): number | undefined {
  const text = first(value);
  const nowS = (httpDate(first(date)) || nowMs) / 1000;
  if (DELAY.test(text)) return bounded(Number(text) - (Number(text) < MIN_EPOCH_S ? 0 : nowS));
  const untilMs = httpDate(text);
  return Number.isNaN(untilMs) ? undefined : bounded(untilMs / 1000 - nowS);
}

const bounded = (seconds: number): number =>
  Math.min(Math.max(1, Math.ceil(seconds)), MAX_RETRY_AFTER_S);

/** Epoch milliseconds, or NaN. GMT is added: C's `asctime` and PHP leave it out. */
const httpDate = (text: string): number => (HTTP_DATE.test(text) ? Date.parse(`${text} GMT`) : NaN);

/** A header that came twice is a list in Node. */
function first(value: unknown): string {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return typeof one === 'string' ? one.trim() : '';
}

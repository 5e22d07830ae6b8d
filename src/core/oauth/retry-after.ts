/** A day: a server that asks for more is asked again after it. */
export const MAX_RETRY_AFTER_S = 86_400;

const DELAY = /^\d+(?:\.\d+)?$/;
/** The three formats of RFC 9110 section 5.6.7; `Date.parse` alone would also accept "1 apple". */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? [\w: -]{15,30}$/;

/**
 * `Retry-After` (RFC 9110 section 10.2.3) in whole seconds, 1 to a day; `undefined` when it is missing or makes no sense.
 * A date is compared with the response's own `Date` where it has one, so that our clock does not matter.
 */
export function parseRetryAfter(
  value: unknown,
  { nowMs, date }: { nowMs: number; date?: unknown },
): number | undefined {
  const text = first(value)?.trim();
  if (text === undefined) return undefined;
  if (DELAY.test(text)) return bounded(Number(text));
  const untilMs = httpDate(text);
  if (untilMs === undefined) return undefined;
  return bounded((untilMs - (httpDate(first(date)?.trim()) ?? nowMs)) / 1000);
}

const bounded = (seconds: number): number =>
  Math.min(Math.max(1, Math.ceil(seconds)), MAX_RETRY_AFTER_S);

/** Epoch milliseconds. The format of C's `asctime` has no zone, and means GMT like the others. */
function httpDate(text: string | undefined): number | undefined {
  if (text === undefined || !HTTP_DATE.test(text)) return undefined;
  const ms = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(ms) ? undefined : ms;
}

/** A header that came twice is a list in Node. */
function first(value: unknown): string | undefined {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return typeof one === 'string' ? one : undefined;
}

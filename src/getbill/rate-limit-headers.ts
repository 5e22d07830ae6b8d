import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { MAX_RETRY_AFTER_S, parseRetryAfter } from '../core/oauth/retry-after.js';
import { fieldOf, numberOf } from './values.js';

const DEFAULT_WAIT_S = 60;
const MAX_WINDOW_MS = 86_400_000;

export const quotaSchema = z.object({
  limit: z.number().positive(),
  remaining: z.number().nonnegative(),
  windowMs: z.number().positive().max(MAX_WINDOW_MS),
  /** `X-RateLimit-Reset` as GetBill wrote it: tells windows apart, and is compared with no clock of ours. */
  reset: z.number().positive(),
});

/** A limit as GetBill last stated it, without a point in time: processes share it, but no clock. */
export type QuotaState = z.infer<typeof quotaSchema>;

/** `undefined` when the headers are missing or make no sense. */
export function quotaFromHeaders(
  headers: IncomingHttpHeaders,
  nowMs: number,
): { quota: QuotaState; resetInMs: number } | undefined {
  const number = (name: string): number => Number(headers[name] ?? NaN);
  const parsed = quotaSchema.safeParse({
    limit: number('x-ratelimit-limit'),
    remaining: number('x-ratelimit-remaining'),
    windowMs: number('x-ratelimit-window') * 1000,
    reset: number('x-ratelimit-reset'),
  });
  if (!parsed.success) return undefined;
  const { reset, windowMs } = parsed.data;
  const resetInMs = reset * 1000 - serverTimeMs(headers, nowMs);
  return { quota: parsed.data, resetInMs: Math.min(Math.max(0, resetInMs), windowMs) };
}

/**
 * `Retry-After` (seconds or a date), else GetBill's `details.retry_after`, else `X-RateLimit-Reset`, else a minute:
 * whole seconds, 1 to a day.
 */
export function retryAfterS(headers: IncomingHttpHeaders, json: unknown, nowMs: number): number {
  const fromHeader = parseRetryAfter(headers['retry-after'], { nowMs, date: headers.date });
  if (fromHeader !== undefined) return fromHeader;
  const candidates = [
    numberOf(fieldOf(fieldOf(json, 'details'), 'retry_after')) ?? NaN,
    Number(headers['x-ratelimit-reset'] ?? NaN) - serverTimeMs(headers, nowMs) / 1000,
  ];
  const chosen = candidates.find((seconds) => seconds >= 0) ?? DEFAULT_WAIT_S;
  return Math.min(Math.max(1, Math.ceil(chosen)), MAX_RETRY_AFTER_S);
}

/** GetBill's own clock where the response shows it, since its points in time are on that clock. */
function serverTimeMs(headers: IncomingHttpHeaders, nowMs: number): number {
  const dateMs = Date.parse(headers.date ?? '');
  return Number.isNaN(dateMs) ? nowMs : dateMs;
}

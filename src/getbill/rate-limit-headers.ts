import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { MAX_RETRY_AFTER_S, parseRetryAfter } from '../core/oauth/retry-after.js';
import { fieldOf, numberOf } from './values.js';

const DEFAULT_WAIT_S = 60;
const HOUR_S = 3_600;
const MAX_WINDOW_MS = 86_400_000;

/** More than any limit, and as much as a shared counter can hold. */
const MAX_LIMIT = 1e12;

export const quotaSchema = z.object({
  limit: z.number().positive().max(MAX_LIMIT),
  remaining: z.number().nonnegative(),
  windowMs: z.number().positive().max(MAX_WINDOW_MS),
  /**
   * `X-RateLimit-Reset` as GetBill wrote it: tells windows apart, and is compared with no clock of
   * ours.
   */
  reset: z.number().positive(),
});

const limitSchema = quotaSchema.pick({ limit: true, windowMs: true });

/** A limit as GetBill last stated it, without a point in time: processes share it, but no clock. */
export type QuotaState = z.infer<typeof quotaSchema>;

/** `undefined` when the headers are missing or make no sense. */
export function quotaFromHeaders(
  headers: IncomingHttpHeaders,
  nowMs: number,
): { quota: QuotaState; resetInMs: number } | undefined {
  const parsed = quotaSchema.safeParse({
    ...limitIn(headers),
    // below zero: calls that were refused
    remaining: Math.max(0, numberIn(headers['x-ratelimit-remaining'])),
    reset: numberIn(headers['x-ratelimit-reset']),
  });
  if (!parsed.success) return undefined;
  const { reset, windowMs } = parsed.data;
  const resetInMs = reset * 1000 - serverTimeMs(headers, nowMs);
  return { quota: parsed.data, resetInMs: Math.min(Math.max(0, resetInMs), windowMs) };
}

/** The limit alone, also where the headers do not say how much of it is left. */
export function limitFromHeaders(
  headers: IncomingHttpHeaders,
): Pick<QuotaState, 'limit' | 'windowMs'> | undefined {
  return limitSchema.safeParse(limitIn(headers)).data;
}

/** A missing window is GetBill's documented hour, and one longer than a day is a day. */
function limitIn(headers: IncomingHttpHeaders) {
  const limit = numberIn(headers['x-ratelimit-limit']);
  const saidS = numberIn(headers['x-ratelimit-window']);
  return { limit, windowMs: Math.min((saidS > 0 ? saidS : HOUR_S) * 1000, MAX_WINDOW_MS) };
}

/**
 * `Retry-After` (seconds or a date), else GetBill's `details.retry_after`, else
 * `X-RateLimit-Reset`, else a minute: whole seconds, 1 to a day.
 */
export function retryAfterS(headers: IncomingHttpHeaders, json: unknown, nowMs: number): number {
  const fromHeader = parseRetryAfter(headers['retry-after'], { nowMs, date: headers.date });
  if (fromHeader !== undefined) return fromHeader;
  const candidates = [
    numberOf(fieldOf(fieldOf(json, 'details'), 'retry_after')) ?? NaN,
    numberIn(headers['x-ratelimit-reset']) - serverTimeMs(headers, nowMs) / 1000,
  ];
  const chosen = candidates.find((seconds) => seconds >= 0) ?? DEFAULT_WAIT_S;
  return Math.min(Math.max(1, Math.ceil(chosen)), MAX_RETRY_AFTER_S);
}

/**
 * The first number where a header came twice, or names its policy too: "1000, 1000;w=3600". NaN:
 * empty, or none.
 */
function numberIn(header: string | string[] | undefined): number {
  const [first] = [header ?? []].flat();
  return numberOf(first?.split(/;|,\s/, 1)[0]) ?? NaN;
}

/** GetBill's own clock where the response shows it, since its points in time are on that clock. */
function serverTimeMs(headers: IncomingHttpHeaders, nowMs: number): number {
  const dateMs = Date.parse(headers.date ?? '');
  return Number.isNaN(dateMs) ? nowMs : dateMs;
}

import type { TokenSet } from '../../core/oauth/token-set.js';
import type { Formats } from './formats.js';
import { timesText } from './words.js';

const JUST_NOW_MS = 10_000;
/** A renewal that is due longer than that has not succeeded. */
const RENEWAL_GRACE_MS = 5_000;

/** A renewal has failed, and is not tried again before `untilMs`. */
export interface RenewalPause {
  readonly untilMs: number;
  /** In words for a visitor. */
  readonly why: string;
}

export interface TimelinePoint {
  readonly label: string;
  readonly at: { readonly text: string; readonly iso: string };
  readonly phase: 'past' | 'next' | 'later';
  readonly note: string;
  /** The format in which a script writes the local time. */
  readonly precision: '' | 'seconds';
  /** The note counts down to the point; said when it has passed. */
  readonly countdown?: string;
  /** Why it is late. */
  readonly trouble?: string;
}

type PointAt = (ms: number) => Pick<TimelinePoint, 'at' | 'precision'>;

export const renewing = (
  renewalAtMs: number,
  expiresAtMs: number,
  nowMs: number,
  pointAt: PointAt,
): TimelinePoint[] => [
  {
    label: 'Next renewal',
    ...pointAt(renewalAtMs),
    phase: 'next',
    note:
      nowMs - renewalAtMs > RENEWAL_GRACE_MS
        ? 'due: GetBill has not renewed it yet, the next click tries again'
        : untilText(renewalAtMs - nowMs),
    countdown: 'due now',
  },
  {
    label: 'Would expire',
    ...pointAt(expiresAtMs),
    phase: 'later',
    note: 'if it were not renewed',
  },
];

export const paused = (
  { untilMs, why }: RenewalPause,
  expiresAtMs: number,
  { nowMs, formats, pointAt }: { nowMs: number; formats: Formats; pointAt: PointAt },
): TimelinePoint[] => [
  {
    label: 'Renewal paused until',
    at: formats.seconds(new Date(untilMs)),
    precision: 'seconds',
    phase: 'next',
    note: untilText(untilMs - nowMs),
    countdown: 'over',
    trouble: `The last renewal failed. ${why}.`,
  },
  {
    label: 'Expires',
    ...pointAt(expiresAtMs),
    phase: 'later',
    note: 'if it is not renewed before',
  },
];

export const ending = (expiresAtMs: number, nowMs: number, pointAt: PointAt): TimelinePoint[] => [
  {
    label: 'Expires',
    ...pointAt(expiresAtMs),
    phase: 'next',
    note: untilText(expiresAtMs - nowMs),
    countdown: 'over',
  },
];

export function renewedText(
  { renewals, issuedAtMs }: TokenSet,
  nowMs: number,
  formats: Formats,
): string {
  if (renewals === 0) return 'Not renewed so far';
  if (Math.abs(nowMs - issuedAtMs) < JUST_NOW_MS) return 'Renewed just now';
  return `Renewed ${timesText(renewals, formats)}`;
}

function untilText(ms: number): string {
  if (ms > 0 && ms < 60_000) return `in ${Math.ceil(ms / 1000)} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return 'any moment';
  return minutes < 60
    ? `in ${minutes} min`
    : `in ${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

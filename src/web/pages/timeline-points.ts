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

interface Times {
  /** `undefined` without a refresh token: then it ends. */
  readonly renewalAtMs: number | undefined;
  readonly expiresAtMs: number;
  readonly nowMs: number;
}

/** How the page writes instants. */
interface Writing {
  readonly formats: Formats;
  readonly pointAt: (ms: number) => Pick<TimelinePoint, 'at' | 'precision'>;
}

/** What comes after the issue: a renewal and the end, or the end alone. */
export function comingPoints(
  { renewalAtMs, expiresAtMs, nowMs }: Times,
  pause: RenewalPause | undefined,
  { formats, pointAt }: Writing,
): TimelinePoint[] {
  const endsAt = pointAt(expiresAtMs);
  if (renewalAtMs === undefined) {
    const note = untilText(expiresAtMs - nowMs);
    return [{ label: 'Expires', ...endsAt, phase: 'next', note, countdown: 'over' }];
  }
  if (pause !== undefined) {
    const pausedUntil: TimelinePoint = {
      label: 'Renewal paused until',
      at: formats.seconds(new Date(pause.untilMs)),
      precision: 'seconds',
      phase: 'next',
      note: untilText(pause.untilMs - nowMs),
      countdown: 'over',
      trouble: `The last renewal failed. ${pause.why}.`,
    };
    const note = 'if it is not renewed before';
    return [pausedUntil, { label: 'Expires', ...endsAt, phase: 'later', note }];
  }
  const isLate = nowMs - renewalAtMs > RENEWAL_GRACE_MS;
  const nextRenewal: TimelinePoint = {
    label: 'Next renewal',
    ...pointAt(renewalAtMs),
    phase: 'next',
    ...(isLate
      ? { note: 'due: GetBill has not renewed it yet, the next click tries again' }
      : { note: untilText(renewalAtMs - nowMs), countdown: 'due now' }),
  };
  const note = 'if it were not renewed';
  return [nextRenewal, { label: 'Would expire', ...endsAt, phase: 'later', note }];
}

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

import { renewalDueAtMs, type TokenSet } from '../../core/oauth/token-set.js';
import { formats as plainFormats, type Formats } from './formats.js';
import { lifeLineOf, type LifeLine } from './life-line.js';
import { describeScope } from './scope-texts.js';

const JUST_NOW_MS = 10_000;

/** A token set as a page shows it: everything but the tokens. */
export interface TokenTimeline {
  /** "This app may", or "This app asked for" while GetBill has not said what it granted. */
  readonly scopesTitle: string;
  readonly scopes: readonly { readonly name: string; readonly text: string }[];
  readonly points: readonly TimelinePoint[];
  readonly line: LifeLine;
  /** Without a refresh token the connection ends with the access token. */
  readonly isRenewable: boolean;
}

/** A shorter life is shown to the second. */
const SHORT_LIFE_MS = 10 * 60_000;
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

export function tokenTimeline(
  tokenSet: TokenSet,
  {
    marginMs,
    nowMs,
    formats = plainFormats,
    pause,
  }: { marginMs: number; nowMs: number; formats?: Formats; pause?: RenewalPause | undefined },
): TokenTimeline {
  const { scopes, scopesAssumed, refreshToken, issuedAtMs, expiresAtMs } = tokenSet;
  const isShort = expiresAtMs - issuedAtMs < SHORT_LIFE_MS;
  const precision = isShort ? 'seconds' : '';
  const pointAt = (ms: number) =>
    ({
      at: isShort ? formats.seconds(new Date(ms)) : formats.instant(new Date(ms)),
      precision,
    }) as const;
  const renewalAtMs = refreshToken === undefined ? undefined : renewalDueAtMs(tokenSet, marginMs);
  const issued: TimelinePoint = {
    label: 'Issued',
    ...pointAt(issuedAtMs),
    phase: 'past',
    note: renewedText(tokenSet, nowMs, formats),
  };
  return {
    scopesTitle: scopesAssumed === true ? 'This app asked for' : 'This app may',
    scopes: scopes.map((name) => ({ name, text: describeScope(name) })),
    points: [
      issued,
      ...(renewalAtMs === undefined
        ? ending(expiresAtMs, nowMs, pointAt)
        : pause === undefined
          ? renewing(renewalAtMs, expiresAtMs, nowMs, pointAt)
          : paused(pause, expiresAtMs, { nowMs, formats, pointAt })),
    ],
    line: lifeLineOf(tokenSet, renewalAtMs, nowMs),
    isRenewable: renewalAtMs !== undefined,
  };
}

type PointAt = (ms: number) => Pick<TimelinePoint, 'at' | 'precision'>;

const renewing = (
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
    countdown: 'due with your next click',
  },
  {
    label: 'Would expire',
    ...pointAt(expiresAtMs),
    phase: 'later',
    note: 'if it were not renewed',
  },
];

const paused = (
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
    countdown: 'over: the next click tries again',
    trouble: `The last renewal failed. ${why}.`,
  },
  {
    label: 'Expires',
    ...pointAt(expiresAtMs),
    phase: 'later',
    note: 'if it is not renewed before',
  },
];

const ending = (expiresAtMs: number, nowMs: number, pointAt: PointAt): TimelinePoint[] => [
  {
    label: 'Expires',
    ...pointAt(expiresAtMs),
    phase: 'next',
    note: untilText(expiresAtMs - nowMs),
    countdown: 'over',
  },
];

function renewedText({ renewals, issuedAtMs }: TokenSet, nowMs: number, formats: Formats): string {
  if (renewals === 0) return 'Not renewed so far';
  if (Math.abs(nowMs - issuedAtMs) < JUST_NOW_MS) return 'Renewed just now';
  return `Renewed ${renewals === 1 ? 'once' : renewals === 2 ? 'twice' : `${formats.count(renewals)} times`}`;
}

function untilText(ms: number): string {
  if (ms > 0 && ms < 60_000) return `in ${Math.ceil(ms / 1000)} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return 'any moment';
  return minutes < 60
    ? `in ${minutes} min`
    : `in ${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

import { renewalDueAtMs, type TokenSet } from '../../core/oauth/token-set.js';
import { formats as plainFormats, type Formats, type InstantText } from './formats.js';
import { describeScope } from './scope-texts.js';

const JUST_NOW_MS = 10_000;

/** What a page may know of a token set: everything but the tokens. */
export interface TokenTimeline {
  /** "This app may", or "This app asked for" while GetBill has not said what it granted. */
  readonly scopesTitle: string;
  readonly scopes: readonly { readonly name: string; readonly text: string }[];
  readonly points: readonly TimelinePoint[];
  /** Without a refresh token the connection ends with the access token. */
  readonly isRenewable: boolean;
}

export interface TimelinePoint {
  readonly label: string;
  readonly at: { readonly text: string; readonly iso: string };
  readonly phase: 'past' | 'next' | 'later';
  readonly note: string;
  /** The note counts down to the point; said when it has passed. */
  readonly countdown?: string;
}

export function tokenTimeline(
  tokenSet: TokenSet,
  { marginMs, nowMs, formats = plainFormats }: { marginMs: number; nowMs: number; formats?: Formats },
): TokenTimeline {
  const { scopes, scopesAssumed, refreshToken, issuedAtMs, expiresAtMs } = tokenSet;
  const pointAt = (ms: number): InstantText => formats.instant(new Date(ms));
  const renewalAtMs = refreshToken === undefined ? undefined : renewalDueAtMs(tokenSet, marginMs);
  const issued: TimelinePoint = {
    label: 'Issued',
    at: pointAt(issuedAtMs),
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
        : renewing(renewalAtMs, expiresAtMs, nowMs, pointAt)),
    ],
    isRenewable: renewalAtMs !== undefined,
  };
}

type PointAt = (ms: number) => InstantText;

const renewing = (renewalAtMs: number, expiresAtMs: number, nowMs: number, pointAt: PointAt): TimelinePoint[] => [
  {
    label: 'Next renewal',
    at: pointAt(renewalAtMs),
    phase: 'next',
    note: untilText(renewalAtMs - nowMs),
    countdown: 'due with your next click',
  },
  { label: 'Would expire', at: pointAt(expiresAtMs), phase: 'later', note: 'if it were not renewed' },
];

const ending = (expiresAtMs: number, nowMs: number, pointAt: PointAt): TimelinePoint[] => [
  {
    label: 'Expires',
    at: pointAt(expiresAtMs),
    phase: 'next',
    note: untilText(expiresAtMs - nowMs),
    countdown: 'over',
  },
];

export function renewedText({ renewals, issuedAtMs }: TokenSet, nowMs: number, formats: Formats): string {
  if (renewals === 0) return 'Not renewed so far';
  if (Math.abs(nowMs - issuedAtMs) < JUST_NOW_MS) return 'Renewed just now';
  return `Renewed ${renewals === 1 ? 'once' : renewals === 2 ? 'twice' : `${formats.count(renewals)} times`}`;
}

function untilText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return 'any moment';
  return minutes < 60 ? `in ${minutes} min` : `in ${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

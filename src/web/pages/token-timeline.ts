import { renewalDueAtMs, type TokenSet } from '../../core/oauth/token-set.js';
import type { Formats } from './formats.js';
import { lifeLineOf, type LifeLine } from './life-line.js';
import { describeScope } from './scope-texts.js';
import {
  comingPoints,
  renewedText,
  type RenewalPause,
  type TimelinePoint,
} from './timeline-points.js';

/** A shorter life is shown to the second. */
const SHORT_LIFE_MS = 10 * 60_000;

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

export function tokenTimeline(
  tokenSet: TokenSet,
  {
    marginMs,
    nowMs,
    formats,
    pause,
  }: { marginMs: number; nowMs: number; formats: Formats; pause?: RenewalPause | undefined },
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
      ...comingPoints({ renewalAtMs, expiresAtMs, nowMs }, pause, { formats, pointAt }),
    ],
    line: lifeLineOf(tokenSet, { renewalAtMs, nowMs }),
    isRenewable: renewalAtMs !== undefined,
  };
}

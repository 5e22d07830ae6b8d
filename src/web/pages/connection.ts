import type { TokenSet } from '../../core/oauth/token-set.js';
import type { InstantText } from './formats.js';
import type { Reader } from './reader.js';
import { renewedText, type RenewalPause } from './timeline-points.js';
import { tokenTimeline } from './token-timeline.js';

/** The connection in one line, for the dashboard. */
export interface ConnectionLine {
  /** "Connected · 3 permissions · Renewed just now"; if `paused`: "... · renewal paused until". */
  readonly text: string;
  /** A renewal has failed. */
  readonly paused: { readonly until: InstantText; readonly why: string } | undefined;
  readonly scopesTitle: string;
  readonly scopes: readonly { readonly name: string; readonly text: string }[];
}

export function connectionLine(
  tokenSet: TokenSet,
  {
    marginMs,
    formats,
    nowMs,
    pause,
  }: Reader & { marginMs: number; pause?: RenewalPause | undefined },
): ConnectionLine {
  const { scopesTitle, scopes } = tokenTimeline(tokenSet, { marginMs, nowMs, formats });
  const { length } = scopes;
  const permissions = length === 1 ? '1 permission' : `${formats.count(length)} permissions`;
  const renewal =
    pause === undefined ? renewedText(tokenSet, nowMs, formats) : 'renewal paused until';
  return {
    text: `Connected · ${permissions} · ${renewal}`,
    paused: pause && { until: formats.seconds(new Date(pause.untilMs)), why: pause.why },
    scopesTitle,
    scopes,
  };
}

import type { TokenSet } from '../../core/oauth/token-set.js';
import type { Reader } from './reader.js';
import type { RenewalPause } from './timeline-points.js';
import { tokenTimeline } from './token-timeline.js';

/** The connection in one line, for the dashboard. */
export interface ConnectionLine {
  /** "Connected, 3 permissions, renewed just now" */
  readonly text: string;
  /** A renewal has failed. */
  readonly isPaused: boolean;
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
  const { scopesTitle, scopes, points } = tokenTimeline(tokenSet, { marginMs, nowMs, formats });
  const { length } = scopes;
  const permissions = length === 1 ? '1 permission' : `${formats.count(length)} permissions`;
  const renewal =
    pause === undefined
      ? (points[0]?.note ?? '')
      : `renewal paused until ${formats.seconds(new Date(pause.untilMs)).text}: ${pause.why}`;
  const text = `Connected · ${permissions} · ${renewal}`;
  return { text, scopesTitle, scopes, isPaused: pause !== undefined };
}

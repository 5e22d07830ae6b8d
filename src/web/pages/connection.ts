import type { TokenSet } from '../../core/oauth/token-set.js';
import type { Reader } from './reader.js';
import { tokenTimeline } from './token-timeline.js';

/** The connection in one line, for the dashboard. */
export interface ConnectionLine {
  /** "Connected, 3 permissions, renewed just now" */
  readonly text: string;
  readonly scopesTitle: string;
  readonly scopes: readonly { readonly name: string; readonly text: string }[];
}

export function connectionLine(
  tokenSet: TokenSet,
  { marginMs, formats, nowMs }: Reader & { marginMs: number },
): ConnectionLine {
  const { scopesTitle, scopes, points } = tokenTimeline(tokenSet, { marginMs, nowMs, formats });
  const { length } = scopes;
  const permissions = length === 1 ? '1 permission' : `${formats.count(length)} permissions`;
  return { text: `Connected · ${permissions} · ${points[0]?.note ?? ''}`, scopesTitle, scopes };
}

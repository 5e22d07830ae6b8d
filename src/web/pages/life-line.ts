import type { TokenSet } from '../../core/oauth/token-set.js';

/** The life of the access token to scale: from issue to expiry, with its renewal and now. */
export interface LifeLine {
  readonly width: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly nowX: number;
  readonly renewalX: number | undefined;
  /** The line in words. */
  readonly text: string;
}

const LINE_WIDTH = 1000;

export function lifeLineOf(
  { issuedAtMs, expiresAtMs }: TokenSet,
  renewalAtMs: number | undefined,
  nowMs: number,
): LifeLine {
  const lifeMs = Math.max(1, expiresAtMs - issuedAtMs);
  const shareOf = (ms: number): number => Math.min(1, Math.max(0, (ms - issuedAtMs) / lifeMs));
  const xOf = (ms: number): number => Math.round(shareOf(ms) * LINE_WIDTH);
  const share = `${Math.round(shareOf(nowMs) * 100)} % of the access token’s life has passed`;
  return {
    width: LINE_WIDTH,
    fromMs: issuedAtMs,
    toMs: expiresAtMs,
    nowX: xOf(nowMs),
    renewalX: renewalAtMs === undefined ? undefined : xOf(renewalAtMs),
    text: renewalAtMs === undefined ? share : `${share}; it is renewed before the end`,
  };
}

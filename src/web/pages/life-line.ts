import type { TokenSet } from '../../core/oauth/token-set.js';

/** The life of the access token to scale: from issue to expiry, with its renewal and now. */
export interface LifeLine {
  readonly fromMs: number;
  readonly toMs: number;
  /** In percent of the line, as `renewal`. */
  readonly now: string;
  readonly renewal: string | undefined;
  /** The line in words. */
  readonly text: string;
}

export function lifeLineOf(
  { issuedAtMs, expiresAtMs }: TokenSet,
  { renewalAtMs, nowMs }: { renewalAtMs: number | undefined; nowMs: number },
): LifeLine {
  const lifeMs = Math.max(1, expiresAtMs - issuedAtMs);
  const shareOf = (ms: number): number => Math.min(1, Math.max(0, (ms - issuedAtMs) / lifeMs));
  const xOf = (ms: number): string => `${Math.round(shareOf(ms) * 1000) / 10}%`;
  const share = `${Math.round(shareOf(nowMs) * 100)} % of the access token’s life has passed`;
  return {
    fromMs: issuedAtMs,
    toMs: expiresAtMs,
    now: xOf(nowMs),
    renewal: renewalAtMs === undefined ? undefined : xOf(renewalAtMs),
    text: renewalAtMs === undefined ? share : `${share}; it is renewed before the end`,
  };
}

import { UnavailableError } from '../errors.js';

/** A successful token endpoint answer as it arrived (RFC 6749 section 5.1), types checked by oauth4webapi. */
export interface TokenEndpointResponse {
  readonly access_token: string;
  readonly expires_in?: number | undefined;
  readonly refresh_token?: string | undefined;
  readonly scope?: string | undefined;
}

/** Ours: the one place where snake_case and seconds end. Instants are epoch milliseconds. */
export interface TokenSet {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly scopes: readonly string[];
  /** When the request was *sent*: the server's clock for the token started no earlier. */
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** How often this grant has been renewed. */
  readonly renewals: number;
}

const DEFAULT_LIFETIME_S = 3600; // what GetBill's own samples assume when "expires_in" is missing
const MAX_LIFETIME_S = 10 * 365 * 86_400;
const MAX_TOKEN_LENGTH = 8192;

/**
 * @param previous the set that was renewed: its refresh token and scopes hold on where the answer is silent (RFC 6749 section 6).
 * @throws {UnavailableError} the answer cannot be used; nothing of it may be stored.
 */
export function tokenSetFromResponse(
  response: TokenEndpointResponse,
  {
    sentAtMs,
    requestedScopes,
    previous,
  }: { sentAtMs: number; requestedScopes: readonly string[]; previous?: TokenSet },
): TokenSet {
  const lifetimeS = response.expires_in ?? DEFAULT_LIFETIME_S;
  if (!(lifetimeS > 0 && lifetimeS <= MAX_LIFETIME_S)) throw unusable('expires_in');
  if (!isToken(response.access_token)) throw unusable('access_token');
  if (response.refresh_token !== undefined && !isToken(response.refresh_token)) throw unusable('refresh_token');

  return {
    accessToken: response.access_token,
    refreshToken: response.refresh_token ?? previous?.refreshToken,
    scopes: response.scope?.split(' ').filter(Boolean) ?? previous?.scopes ?? requestedScopes,
    issuedAtMs: sentAtMs,
    expiresAtMs: sentAtMs + lifetimeS * 1000,
    renewals: previous === undefined ? 0 : previous.renewals + 1,
  };
}

/** `fresh`, then `margin` (still good, to be renewed in the background), then `expired`. A margin is at most a quarter of the lifetime. */
export function phaseOf(tokenSet: TokenSet, { nowMs, marginMs }: { nowMs: number; marginMs: number }) {
  if (nowMs >= tokenSet.expiresAtMs) return 'expired';
  return nowMs >= renewalDueAtMs(tokenSet, marginMs) ? 'margin' : 'fresh';
}

export function renewalDueAtMs({ issuedAtMs, expiresAtMs }: TokenSet, marginMs: number): number {
  return expiresAtMs - Math.min(marginMs, (expiresAtMs - issuedAtMs) / 4);
}

// Visible ASCII without space: what RFC 6749 appendix A allows and an Authorization header can carry.
const isToken = (text: string): boolean => text.length <= MAX_TOKEN_LENGTH && /^[\x21-\x7e]+$/.test(text);

const unusable = (parameter: string): UnavailableError =>
  new UnavailableError(`the token endpoint answered with an unusable "${parameter}"`, {
    code: 'token_answer_unusable',
    status: 502,
    hint: 'GETBILL_TOKEN_URL may point at something that is not a token endpoint',
  });

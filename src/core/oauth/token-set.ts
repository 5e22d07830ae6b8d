import { UnavailableError } from '../errors.js';
import type { JsonObject } from '../json.js';

/** A successful response (RFC 6749 section 5.1): its values checked, spellings made one. */
export interface TokenResponse {
  readonly access_token: string;
  readonly expires_in?: number | undefined;
  readonly refresh_token?: string | undefined;
  /** Missing or empty where the response names none. */
  readonly scopes?: readonly string[] | undefined;
}

/** Ours: the one place where snake_case and seconds end. Instants are epoch milliseconds. */
export interface TokenSet {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly scopes: readonly string[];
  /** No response has named the scopes: they are those that were asked for. */
  readonly scopesAssumed?: true;
  /** When the request was *sent*: the server's clock for the token started no earlier. */
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** How often this grant has been renewed. */
  readonly renewals: number;
}

const DEFAULT_LIFETIME_S = 3600; // when "expires_in" is missing
const MAX_LIFETIME_S = 100 * 365 * 86_400; // some say 2,147,483,647 for "never"
const MAX_TOKEN_LENGTH = 8192;
// Real clients have a dozen. They are shown, logged and stored, so a server must not send 10,000.
const MAX_SCOPES = 64;
const MAX_SCOPE_LENGTH = 128;
/** A space by the RFC; also commas, semicolons, a list as JSON text, and spaces as in a URL. */
const BETWEEN_SCOPES = /(?:[\s,;+"[\]]|%20)+/;
/** What servers write for a parameter that is absent. */
const ABSENT = new Set<unknown>([null, false, 'null', 'NULL', 'None', 'undefined', 'false']);

/** What the response leaves out is taken from `previous`, the renewed set (RFC 6749 section 6). */
export function tokenSetFromResponse(
  { access_token, refresh_token, expires_in = DEFAULT_LIFETIME_S, scopes = [] }: TokenResponse,
  request: { sentAtMs: number; requestedScopes: readonly string[]; previous?: TokenSet },
): TokenSet {
  const { sentAtMs, requestedScopes, previous } = request;
  const isAssumed =
    scopes.length === 0 && (previous === undefined || previous.scopesAssumed === true);
  return {
    accessToken: access_token,
    refreshToken: refresh_token ?? previous?.refreshToken,
    scopes: grantedScopes(scopes, previous?.scopes ?? requestedScopes),
    ...(isAssumed && { scopesAssumed: true }),
    issuedAtMs: sentAtMs,
    expiresAtMs: sentAtMs + expires_in * 1000,
    renewals: previous === undefined ? 0 : previous.renewals + 1,
  };
}

/** None named means "as requested" (RFC 6749 section 5.1). Of too many, the expected stay. */
function grantedScopes(named: readonly string[], expected: readonly string[]): readonly string[] {
  if (named.length === 0) return expected;
  const short = named.filter((name) => name.length <= MAX_SCOPE_LENGTH);
  const granted = new Set(short.map((name) => spelledAsIn(expected, name)));
  const known = expected.filter((name) => granted.has(name));
  return [...new Set([...known, ...granted])].slice(0, MAX_SCOPES);
}

/** Some servers write scopes in upper case, whatever was asked for. */
function spelledAsIn(expected: readonly string[], name: string): string {
  if (expected.includes(name)) return name;
  return expected.find((one) => one.toLowerCase() === name.toLowerCase()) ?? name;
}

/** An error where a parameter is missing or means nothing: then nothing of it may be stored. */
export function tokenResponseFrom(json: JsonObject | undefined): TokenResponse | UnavailableError {
  if (json === undefined) return unusable('the body is not a JSON object');
  const said = Object.fromEntries(Object.entries(json).filter(([, value]) => !ABSENT.has(value)));
  const { access_token, token_type } = said;
  if (!isToken(access_token)) return unusable('"access_token" is no token');
  if (typeof token_type !== 'string' || !/^\s*bearer(\s?token)?\s*$/i.test(token_type))
    return unusable('"token_type" is not Bearer');
  const refresh_token = said['refresh_token'] || undefined;
  if (refresh_token !== undefined && !isToken(refresh_token))
    return unusable('"refresh_token" is no token');
  const expires_in = secondsOf(said['expires_in']);
  if (expires_in !== undefined && !(expires_in > 0 && expires_in <= MAX_LIFETIME_S))
    return unusable('"expires_in" is no number of seconds in range');
  const lists = [said['scope'] || ''].flat();
  if (!lists.every((list) => typeof list === 'string'))
    return unusable('"scope" is no list of names');
  const scopes = new Set(lists.flatMap((list) => list.split(BETWEEN_SCOPES)).filter(Boolean));
  return { access_token, expires_in, refresh_token, scopes: [...scopes] };
}

/** A number, also as text: 3600, "3600", "3600.0", "3.6E3". `NaN` for anything else. */
function secondsOf(value: unknown): number | undefined {
  if (value === undefined || typeof value === 'number') return value;
  if (typeof value !== 'string') return NaN;
  return /^\s*\d{1,12}(\.\d+)?(e\d)?\s*$/i.test(value) ? Number(value) : NaN;
}

/** `margin`: the end of its life, at most a quarter; good, and renewed in the background. */
export function phaseOf(
  tokenSet: TokenSet,
  { nowMs, marginMs }: { nowMs: number; marginMs: number },
) {
  if (nowMs >= tokenSet.expiresAtMs) return 'expired';
  return nowMs >= renewalDueAtMs(tokenSet, marginMs) ? 'margin' : 'fresh';
}

export function renewalDueAtMs({ issuedAtMs, expiresAtMs }: TokenSet, marginMs: number): number {
  return expiresAtMs - Math.min(marginMs, (expiresAtMs - issuedAtMs) / 4);
}

/** Visible ASCII without space: RFC 6749 appendix A, and what an Authorization header can carry. */
export const isToken = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= MAX_TOKEN_LENGTH && /^[\x21-\x7e]+$/.test(value);

const unusable = (why: string): UnavailableError =>
  new UnavailableError(`the token endpoint gave an unusable response: ${why}`, {
    code: 'token_answer_unusable',
    status: 502,
  });

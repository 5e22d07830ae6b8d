import {
  GrantRefusedError,
  MisconfiguredError,
  UnavailableError,
  type AppError,
} from '../errors.js';
import type { GrantType } from '../events.js';
import { jsonObject, type JsonObject } from '../json.js';
import { parseRetryAfter } from './retry-after.js';
import { serverText } from './server-text.js';
import { tokenResponseFrom, type TokenResponse } from './token-set.js';

/** An HTTP response, its body read whole and decoded. Header names are in lower case. */
export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** What a response means. `json`: its body, for the event; `serverSaid`: the server's own words. */
export type Judgement = {
  readonly status?: number;
  readonly json?: JsonObject | undefined;
  readonly serverSaid?: string | undefined;
} & (
  | { readonly outcome: 'ok'; readonly token: TokenResponse | undefined }
  | { readonly outcome: 'refused' | 'misconfigured' | 'transient'; readonly error: AppError }
);

const TRY_LATER = new Set([408, 425, 429]);
const SERVER_SIDE = new Set<unknown>(['server_error', 'temporarily_unavailable']);

/**
 * The error codes of a token endpoint (RFC 6749 section 5.2) and of revocation (RFC 7009 section
 * 2.2.1), and the one that servers add for a redirect URI. Nothing else in "error" makes a response
 * an OAuth error: many a framework's 404 has one, too.
 */
const TOKEN_ERRORS = new Set<unknown>([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'unsupported_token_type',
  'redirect_uri_mismatch',
]);

/** The members of an OAuth error, also nested: `{"error": {"code": "invalid_grant"}}`. */
export function errorIn(json: JsonObject = {}): JsonObject & { readonly error?: unknown } {
  const { error } = json;
  if (typeof error !== 'object' || error === null) return json;
  const { code, message } = error as JsonObject;
  return { error: code, error_description: message };
}

export const isTokenError = (code: unknown): code is string => TOKEN_ERRORS.has(code);

/** By status and OAuth error code (RFC 6749 section 5.2), not text. A revocation has no token. */
export function judgeTokenResponse(
  { status, headers = {}, body }: HttpResponse,
  request: { grantType: GrantType; nowMs: number; secrets: readonly string[] },
): Judgement {
  const { grantType, nowMs, secrets } = request;
  const json = jsonObject(body.replace(/^\ufeff/, ''));
  const said = errorIn(json);
  const { error } = said;
  const serverSaid = serverText(said, secrets);
  const seen = { status, json, serverSaid };

  if (TRY_LATER.has(status) || status >= 500 || SERVER_SIDE.has(error)) {
    const retryAfterS = parseRetryAfter(headers['retry-after'], { nowMs, date: headers['date'] });
    const code = status === 429 ? 'token_endpoint_limited' : 'token_endpoint_busy';
    const options = { code, status: 502, retryAfterS, serverSaid };
    const busy = new UnavailableError(`the token endpoint responded with ${status}`, options);
    return { ...seen, outcome: 'transient', error: busy };
  }
  const isDead = isDeadGrant(error, status, grantType);
  const isRejected = isTokenError(error) || status > 299;
  if (grantType === 'revocation' && (isDead || !isRejected))
    return { ...seen, outcome: 'ok', token: undefined };
  if (isDead)
    return { ...seen, outcome: 'refused', error: new GrantRefusedError(error, { serverSaid }) };
  if (isRejected)
    return { ...seen, outcome: 'misconfigured', error: rejection(status, error, serverSaid) };
  const token = tokenResponseFrom(json);
  if (!(token instanceof UnavailableError)) return { ...seen, outcome: 'ok', token };
  if (typeof error !== 'string' || error === '')
    return { ...seen, outcome: 'transient', error: token };
  return { ...seen, outcome: 'misconfigured', error: rejection(status, error, serverSaid) };
}

/** league/oauth2-server up to version 8 responds `invalid_request` for a dead code or token. */
const LEAGUE: Partial<Record<GrantType, number>> = { authorization_code: 400, refresh_token: 401 };

/** Whether a code, or a token to be used or revoked, is dead. An app's own grant cannot be. */
function isDeadGrant(error: unknown, status: number, grantType: GrantType): boolean {
  if (error === 'invalid_grant') return grantType !== 'client_credentials';
  if (error === 'invalid_token') return grantType === 'revocation' && status === 400; // Google
  return error === 'invalid_request' && status === LEAGUE[grantType];
}

function rejection(status: number, error: unknown, serverSaid: string | undefined) {
  const message = 'the token endpoint rejected our request';
  if (isTokenError(error) && error !== 'invalid_grant')
    return new MisconfiguredError(message, { code: error, serverSaid });
  if (typeof error === 'string' && (status <= 299 || status === 400 || status === 401)) {
    const code = 'token_request_rejected';
    return new MisconfiguredError(`${message} with an unknown code`, { code, serverSaid });
  }
  const noError = `the token endpoint responded with ${status} without an OAuth error`;
  return new MisconfiguredError(noError, { serverSaid });
}

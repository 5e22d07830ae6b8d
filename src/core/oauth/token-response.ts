import {
  GrantRefusedError,
  MisconfiguredError,
  UnavailableError,
  type AppError,
} from '../errors.js';
import { jsonObject, type JsonObject } from '../json.js';
import type { GrantType } from '../events.js';
import { isTokenError } from './error-codes.js';
import { parseRetryAfter } from './retry-after.js';
import { serverText } from './server-text.js';

/** An HTTP response, its body read whole and decoded. Header names are in lower case. */
export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A successful response (RFC 6749 section 5.1): types checked, spellings made one. */
export interface TokenResponse {
  readonly access_token: string;
  readonly expires_in?: number | undefined;
  readonly refresh_token?: string | undefined;
  /** Separated by spaces, never empty. */
  readonly scope?: string | undefined;
}

/** What a response means. `json` is its body, for the event; `serverSaid` the server's own words, for the operator. */
export type Judgement = {
  readonly status: number;
  readonly json: JsonObject | undefined;
  readonly serverSaid: string | undefined;
} & (
  | { readonly outcome: 'ok'; readonly token: TokenResponse | undefined }
  | { readonly outcome: 'refused' | 'misconfigured' | 'transient'; readonly error: AppError }
);

const TRY_LATER = new Set([408, 425, 429]);
const SERVER_SIDE = new Set<unknown>(['server_error', 'temporarily_unavailable']);

/** Judges by status and OAuth error code (RFC 6749 section 5.2), never by text. A revocation has no token. */
export function judgeTokenResponse(
  response: HttpResponse,
  {
    grantType,
    nowMs,
    secrets,
  }: { grantType: GrantType; nowMs: number; secrets: readonly string[] },
): Judgement {
  const { status, headers = {} } = response;
  const json = jsonObject(response.body.replace(/^\ufeff/, ''));
  const serverSaid = serverText(
    { error: json?.['error'], description: json?.['error_description'] },
    { secrets },
  );
  const seen = { status, json, serverSaid };
  const details = serverSaid === undefined ? {} : { serverSaid };

  if (TRY_LATER.has(status) || status >= 500 || SERVER_SIDE.has(json?.['error'])) {
    const retryAfterS = parseRetryAfter(headers['retry-after'], { nowMs, date: headers['date'] });
    const error = new UnavailableError(`the token endpoint responded with ${status}`, {
      code: 'token_endpoint_busy',
      status: 502,
      ...(retryAfterS !== undefined && { retryAfterS }),
      ...details,
    });
    return { ...seen, outcome: 'transient', error };
  }
  const oauthError = isTokenError(json?.['error']) ? json['error'] : undefined;
  if (oauthError !== undefined && isDeadGrant(oauthError, status, grantType)) {
    return { ...seen, outcome: 'refused', error: new GrantRefusedError(oauthError, details) };
  }
  if (oauthError !== undefined || status < 200 || status > 299) {
    return {
      ...seen,
      outcome: 'misconfigured',
      error: rejection(status, json?.['error'], details),
    };
  }
  if (grantType === 'revocation') return { ...seen, outcome: 'ok', token: undefined };
  try {
    return { ...seen, outcome: 'ok', token: tokenResponseFrom(json) };
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return { ...seen, outcome: 'transient', error };
  }
}

/** The codes that say "this code or refresh token is dead", of the RFC and of league/oauth2-server up to version 8. */
function isDeadGrant(oauthError: string, status: number, grantType: GrantType): boolean {
  if (grantType === 'client_credentials') return false; // there is no grant that could be dead
  if (oauthError === 'invalid_grant') return true;
  if (oauthError !== 'invalid_request') return false;
  return (
    (grantType === 'authorization_code' && status === 400) ||
    (grantType === 'refresh_token' && status === 401)
  );
}

function rejection(
  status: number,
  error: unknown,
  details: { serverSaid?: string },
): MisconfiguredError {
  if (isTokenError(error) && error !== 'invalid_grant') {
    return new MisconfiguredError('the token endpoint rejected our request', {
      oauthError: error,
      ...details,
    });
  }
  if (typeof error === 'string' && (status <= 299 || status === 400 || status === 401)) {
    return new MisconfiguredError('the token endpoint rejected our request with an unknown code', {
      oauthError: 'token_request_rejected',
      ...details,
    });
  }
  return new MisconfiguredError(
    `the token endpoint responded with ${status} without an OAuth error`,
    details,
  );
}

/** @throws {UnavailableError} a parameter is missing, or means nothing. */
function tokenResponseFrom(json: JsonObject | undefined): TokenResponse {
  if (json === undefined) throw unusable('the body is not a JSON object');
  const { access_token, token_type } = json;
  if (typeof access_token !== 'string' || access_token === '')
    throw unusable('"access_token" is no text');
  if (typeof token_type !== 'string' || token_type.trim().toLowerCase() !== 'bearer') {
    throw unusable('"token_type" is not Bearer');
  }
  return {
    access_token,
    expires_in: secondsOf(json['expires_in']),
    refresh_token: textOf(json['refresh_token']),
    scope: scopeOf(json['scope']),
  };
}

/** `null` and "" mean absent: PHP and Java servers write it so. */
const isAbsent = (value: unknown): value is null | undefined | '' =>
  value === undefined || value === null || value === '';

function textOf(value: unknown): string | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value !== 'string') throw unusable('"refresh_token" is no text');
  return value;
}

/** A number, also as a text that holds nothing else: 3600, "3600", "3600.0". */
function secondsOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const seconds =
    typeof value === 'string' && /^\s*\d{1,12}(\.\d+)?\s*$/.test(value) ? Number(value) : value;
  if (typeof seconds !== 'number' || !(seconds > 0))
    throw unusable('"expires_in" is no number of seconds');
  return seconds;
}

/** A list separated by spaces (RFC 6749 section 3.3), by commas, or as a JSON array. Empty means: as requested, or as before. */
function scopeOf(value: unknown): string | undefined {
  if (isAbsent(value)) return undefined;
  const texts: unknown[] = Array.isArray(value) ? value : [value];
  if (!texts.every((text) => typeof text === 'string'))
    throw unusable('"scope" is no list of names');
  return (
    texts
      .join(' ')
      .split(/[\s,]+/)
      .filter(Boolean)
      .join(' ') || undefined
  );
}

const unusable = (why: string): UnavailableError =>
  new UnavailableError(`the token endpoint gave an unusable response: ${why}`, {
    code: 'token_answer_unusable',
    status: 502,
  });

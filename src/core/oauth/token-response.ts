import * as oauth from 'oauth4webapi';
import { GrantRefusedError, MisconfiguredError, UnavailableError } from '../errors.js';
import type { GrantType } from '../events.js';
import type { TokenEndpointResponse } from './token-set.js';

export interface TokenAnswer {
  readonly status: number;
  readonly body: string;
  readonly retryAfterS?: number | undefined;
}

const TRY_LATER = new Set([408, 425, 429]);
const SERVER_SIDE = new Set(['server_error', 'temporarily_unavailable']);

/**
 * What a token endpoint's answer means, by status and OAuth error code (RFC 6749 section 5.2), never by text. Success is
 * judged by oauth4webapi, over the fields we use: an "id_token" nobody asked for must not fail a sign-in.
 * @throws as `TokenEndpoint`.
 */
export async function judgeTokenAnswer(
  answer: TokenAnswer,
  { as, client, grantType }: { as: oauth.AuthorizationServer; client: oauth.Client; grantType: GrantType },
): Promise<TokenEndpointResponse> {
  const { status } = answer;
  const body = jsonObject(answer.body);
  const oauthError = typeof body?.['error'] === 'string' ? body['error'] : undefined;

  if (TRY_LATER.has(status) || status >= 500 || (oauthError !== undefined && SERVER_SIDE.has(oauthError))) {
    throw new UnavailableError(`the token endpoint answered ${status}`, {
      code: 'token_endpoint_busy',
      status: 502,
      ...(answer.retryAfterS !== undefined && { retryAfterS: answer.retryAfterS }),
    });
  }
  if (oauthError !== undefined) throw refusal(oauthError, status, grantType);
  if (status < 200 || status > 299) {
    throw new MisconfiguredError(`the token endpoint answered ${status} without an OAuth error`, {
      hint: 'GETBILL_TOKEN_URL may be wrong, or a firewall or proxy answered in its place',
    });
  }
  if (grantType === 'revocation') return { access_token: '' };
  return success(body, { as, client });
}

function refusal(oauthError: string, status: number, grantType: GrantType): Error {
  const refused =
    (oauthError === 'invalid_grant' && grantType !== 'client_credentials') || // there no grant can be dead
    // the refusal of older league/oauth2-server versions
    (oauthError === 'invalid_request' && status === 401 && grantType === 'refresh_token');
  if (refused) return new GrantRefusedError(oauthError);
  const hint = Object.hasOwn(KNOWN_REJECTIONS, oauthError) ? KNOWN_REJECTIONS[oauthError] : undefined;
  return new MisconfiguredError('the token endpoint rejected our request', {
    oauthError: hint === undefined ? 'token_request_rejected' : oauthError,
    hint: hint ?? `GetBill said: ${oauthError.slice(0, 64)}`,
  });
}

const KNOWN_REJECTIONS: Readonly<Record<string, string>> = {
  invalid_client:
    'check GETBILL_CLIENT_ID and GETBILL_CLIENT_SECRET, the environment they are for, and that the client is active',
  invalid_scope: 'GETBILL_SCOPES asks for a scope this client may not have',
  invalid_request: 'GetBill rejected the parameters; check GETBILL_REDIRECT_URI and GETBILL_TOKEN_URL',
  redirect_uri_mismatch: 'GETBILL_REDIRECT_URI differs from the registered one (scheme, host, port and path count)',
  unauthorized_client: 'this client may not use this grant type; check it in the GetBill dashboard',
  unsupported_grant_type: 'GetBill does not offer this grant type to this client',
};

async function success(
  body: Readonly<Record<string, unknown>> | undefined,
  { as, client }: { as: oauth.AuthorizationServer; client: oauth.Client },
): Promise<TokenEndpointResponse> {
  try {
    const response = await oauth.processRefreshTokenResponse(as, client, Response.json(usedFields(body)));
    if (response.token_type !== 'bearer') throw new TypeError('"token_type" is not bearer');
    return response;
  } catch (error) {
    throw new UnavailableError('the token endpoint gave an unusable answer', {
      code: 'token_answer_unusable',
      status: 502,
      hint: `not a token answer (${error instanceof Error ? error.message : 'unknown'}); is GETBILL_TOKEN_URL right?`,
    });
  }
}

const USED = ['access_token', 'token_type', 'expires_in', 'refresh_token', 'scope'];

/** `null` means absent (PHP servers write it so); a number in a string must be nothing but that number. */
function usedFields(body: Readonly<Record<string, unknown>> | undefined): Record<string, unknown> | undefined {
  if (body === undefined) return undefined;
  const used = Object.fromEntries(USED.flatMap((name) => (body[name] == null ? [] : [[name, body[name]]])));
  const expiresIn = used['expires_in'];
  if (expiresIn === undefined || typeof expiresIn === 'number') return used;
  const isNumeric = typeof expiresIn === 'string' && /^\d{1,12}$/.test(expiresIn);
  return { ...used, expires_in: isNumeric ? Number(expiresIn) : -1 };
}

export function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

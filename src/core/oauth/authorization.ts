import * as oauth from 'oauth4webapi';
import { SignInError } from '../errors.js';
import type { GetbillConfig } from '../../config/config.js';

declare const checked: unique symbol;
/** The parameters of a success answer whose "state" (and "iss") were checked. Only `validateAuthorizationResponse` makes one. */
export type AuthorizationCode = URLSearchParams & { readonly [checked]: true };

/** What `oauth4webapi` calls the authorization server and the client, from our configuration. */
export function protocolParties(config: GetbillConfig): { as: oauth.AuthorizationServer; client: oauth.Client } {
  return {
    as: {
      issuer: config.issuer ?? config.authorizeUrl.origin,
      authorization_endpoint: config.authorizeUrl.href,
      token_endpoint: config.tokenUrl.href,
      ...(config.revokeUrl && { revocation_endpoint: config.revokeUrl.href }),
      authorization_response_iss_parameter_supported: config.issuer !== undefined,
    },
    client: { client_id: config.clientId },
  };
}

/** RFC 6749 section 4.1.1 with PKCE S256 (RFC 7636 section 4.3). `state` and `codeVerifier` have 256 random bits each. */
export async function createAuthorizationRequest(
  config: GetbillConfig,
): Promise<{ url: URL; state: string; codeVerifier: string }> {
  const state = oauth.generateRandomState();
  const codeVerifier = oauth.generateRandomCodeVerifier();
  const url = new URL(config.authorizeUrl);
  const parameters = {
    response_type: 'code',
    client_id: config.clientId,
    redirect_uri: config.redirectUri,
    scope: config.scopes.join(' '),
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return { url, state, codeVerifier };
}

/**
 * The "state" of an authorization response that is well-formed: exactly one bounded "state" and exactly one of "code"
 * and "error". oauth4webapi would accept a missing, empty or doubled "code".
 * @throws {SignInError} `callback_malformed`
 */
export function stateOf(response: URLSearchParams): string {
  const one = (name: string): string | undefined => {
    const values = response.getAll(name);
    if (values.length === 0) return undefined;
    const [value = ''] = values;
    if (values.length > 1 || !/^[\x20-\x7e]{1,2048}$/.test(value)) throw malformed(name);
    return value;
  };
  const state = one('state');
  if (state === undefined) throw malformed('state');
  if ((one('code') === undefined) === (one('error') === undefined)) throw malformed('code');
  if (response.getAll('iss').length > 1) throw malformed('iss');
  return state;
}

/**
 * RFC 6749 section 4.1.2, and RFC 9207 section 2.4 when an issuer is configured (without one "iss" is ignored).
 * @throws {SignInError} `authorization_denied` when the server answered with "error", `callback_malformed` otherwise.
 */
export function validateAuthorizationResponse(
  response: URLSearchParams,
  { config, expectedState }: { config: GetbillConfig; expectedState: string },
): AuthorizationCode {
  const { as, client } = protocolParties(config);
  const parameters = new URLSearchParams(response);
  if (config.issuer === undefined) parameters.delete('iss');
  try {
    return oauth.validateAuthResponse(as, client, parameters, expectedState) as AuthorizationCode;
  } catch (error) {
    if (error instanceof oauth.AuthorizationResponseError) throw refusal(error);
    throw new SignInError('the authorization response does not belong to this sign-in', {
      code: 'callback_malformed',
      status: 400,
      hint: 'state or iss differs; with GETBILL_ISSUER set, "iss" must be present and equal to it',
    });
  }
}

/** Error codes we explain; anything else is `authorization_failed`. The server's free text never leaves the log. */
const KNOWN_REFUSALS: Readonly<Record<string, string>> = {
  access_denied: 'nobody can sign in without approving; nothing to change',
  invalid_scope: 'GETBILL_SCOPES asks for a scope this client may not have; tick it at GetBill or ask for fewer',
  unauthorized_client: 'this client may not use the authorization code grant; check it in the GetBill dashboard',
  invalid_request: 'GetBill rejected the authorization request; check GETBILL_AUTHORIZE_URL and the redirect URI',
  redirect_uri_mismatch: 'GETBILL_REDIRECT_URI differs from the registered one (scheme, host, port and path count)',
  invalid_client: 'GETBILL_CLIENT_ID is unknown at GetBill or inactive, or belongs to another environment',
  server_error: 'GetBill had an error of its own; try again',
  temporarily_unavailable: 'GetBill is overloaded; try again',
};

function refusal(error: oauth.AuthorizationResponseError): SignInError {
  const hint = Object.hasOwn(KNOWN_REFUSALS, error.error) ? KNOWN_REFUSALS[error.error] : undefined;
  return new SignInError('the authorization server answered with "error"', {
    code: hint === undefined ? 'authorization_failed' : `authorization_${error.error}`,
    status: error.error === 'access_denied' ? 403 : 400,
    hint: hint ?? `GetBill said: ${error.error.slice(0, 64)}: ${(error.error_description ?? '').slice(0, 180)}`,
  });
}

const malformed = (parameter: string): SignInError =>
  new SignInError(`the callback has no single usable "${parameter}"`, {
    code: 'callback_malformed',
    status: 400,
    hint: 'not a redirect that GetBill made; nothing was exchanged',
  });

import * as oauth from 'oauth4webapi';
import { SignInError } from '../errors.js';
import type { Provider } from './provider.js';
import { serverText } from './server-text.js';

declare const checked: unique symbol;
/** "state" and "iss" are checked: only `validateAuthorizationResponse` makes one. */
export type AuthorizationCode = URLSearchParams & { readonly [checked]: true };

/** The longest value that is read. A code may be a sealed token of several KB. */
const MAX_LENGTH = { state: 2048, code: 8192, error: 2048, iss: 2048 } as const;

/** RFC 6749 section 4.1.2.1, and two that servers add. */
const AUTHORIZATION_ERRORS = new Set([
  'invalid_request',
  'unauthorized_client',
  'access_denied',
  'unsupported_response_type',
  'invalid_scope',
  'server_error',
  'temporarily_unavailable',
  'invalid_client',
  'redirect_uri_mismatch',
]);

/** RFC 6749 section 4.1.1 with PKCE S256 (RFC 7636 section 4.3); two times 256 random bits. */
export async function createAuthorizationRequest(
  provider: Provider,
): Promise<{ url: URL; state: string; codeVerifier: string }> {
  const state = oauth.generateRandomState();
  const codeVerifier = oauth.generateRandomCodeVerifier();
  const url = new URL(provider.authorizeUrl);
  const parameters = {
    response_type: 'code',
    client_id: provider.clientId,
    redirect_uri: provider.redirectUri,
    scope: provider.scopes.join(' '),
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return { url, state, codeVerifier };
}

/**
 * The "state" of a response that has exactly one, and exactly one of "code" and "error"; an empty
 * one counts as left out. oauth4webapi would accept a missing, empty or doubled "code".
 * @throws {SignInError} `callback_malformed`
 */
export function stateOf(response: URLSearchParams): string {
  if (!(response instanceof URLSearchParams))
    throw new TypeError('"response" is no URLSearchParams');
  const single = (name: keyof typeof MAX_LENGTH): string | undefined => {
    const values = response.getAll(name).filter(Boolean);
    if (values.length === 0) return undefined;
    const [value = ''] = values;
    const isUsable =
      values.length === 1 && value.length <= MAX_LENGTH[name] && /^[\x20-\x7e]+$/.test(value);
    if (!isUsable) throw malformed(name, response);
    return value;
  };
  const state = single('state');
  if (state === undefined) throw malformed('state', response);
  if ((single('code') === undefined) === (single('error') === undefined))
    throw malformed('code', response);
  single('iss'); // throws when there are two
  return state;
}

/**
 * RFC 6749 section 4.1.2, and RFC 9207 section 2.4 where an issuer is configured, else no "iss".
 * @throws {SignInError} `authorization_<error>` for a known "error", `authorization_failed` for
 * another, `callback_malformed` for a response that does not belong to this sign-in.
 */
export function validateAuthorizationResponse(
  response: URLSearchParams,
  { provider, expectedState }: { provider: Provider; expectedState: string },
): AuthorizationCode {
  const { authorizeUrl, issuer, clientId: client_id } = provider;
  const server = {
    issuer: issuer ?? authorizeUrl.origin,
    authorization_response_iss_parameter_supported: issuer !== undefined,
  };
  const parameters = new URLSearchParams([...response].filter(([, value]) => value !== ''));
  if (issuer === undefined) parameters.delete('iss');
  try {
    const code = oauth.validateAuthResponse(server, { client_id }, parameters, expectedState);
    return code as AuthorizationCode;
  } catch (error) {
    if (error instanceof oauth.AuthorizationResponseError) throw refusal(error.error, response);
    throw new SignInError('the authorization response does not belong to this sign-in', {
      code: 'callback_malformed',
      status: 400,
      hint: '"state" or "iss" differs; with an issuer configured, "iss" must be there and equal it',
      ...serverSaidIn(response),
    });
  }
}

/**
 * The server's own words, also in a response that cannot be used: they may be all that explains a
 * failed sign-in. Anybody can send them, so they are for the log alone.
 */
export function serverSaidIn(response: URLSearchParams): { serverSaid?: string | undefined } {
  const { error, error_description, state = '', code = '' } = Object.fromEntries(response);
  return { serverSaid: serverText({ error, error_description }, [state, code]) };
}

function refusal(error: string, response: URLSearchParams): SignInError {
  return new SignInError('the authorization server responded with "error"', {
    code: AUTHORIZATION_ERRORS.has(error) ? `authorization_${error}` : 'authorization_failed',
    status: error === 'access_denied' ? 403 : 400,
    ...serverSaidIn(response),
  });
}

const malformed = (parameter: string, response: URLSearchParams): SignInError =>
  new SignInError(`the callback has no single usable "${parameter}"`, {
    code: 'callback_malformed',
    status: 400,
    hint: 'nothing was exchanged, and no sign-in under way was touched',
    ...serverSaidIn(response),
  });

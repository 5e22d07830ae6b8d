import type { AppError } from '../errors.js';
import { shapeOf, type Emit, type GrantType } from '../events.js';
import type { AuthorizationCode } from './authorization.js';
import { DEFAULT_TIMEOUT_MS, type Provider } from './provider.js';
import {
  judgeTokenResponse,
  type HttpResponse,
  type Judgement,
  type TokenResponse,
} from './token-response.js';

/** One POST with a deadline, redirects not followed, the body read whole. @throws {UnavailableError} no response. */
export type Send = (
  url: URL,
  request: { headers: Record<string, string>; body: string; timeoutMs: number },
) => Promise<HttpResponse>;

/**
 * Each call is sent once and ends within the provider's `timeoutMs`; only `invalid_client` is sent again, with the next
 * secret.
 * @throws {GrantRefusedError} the code or refresh token is dead.
 * @throws {MisconfiguredError} the server rejects our credentials, URL or parameters.
 * @throws {UnavailableError} anything else; it may work later. `status` is 504 for a timeout, else 502.
 */
export interface TokenEndpoint {
  exchangeCode(code: AuthorizationCode, codeVerifier: string): Promise<TokenResponse>;
  refresh(refreshToken: string): Promise<TokenResponse>;
  clientCredentials(scopes: readonly string[]): Promise<TokenResponse>;
  /** RFC 7009; resolves without a call when no revocation URL is configured. */
  revoke(token: string, hint: 'refresh_token' | 'access_token'): Promise<void>;
}

type Parameters = Readonly<Record<string, string>>;
/** No response came. */
type NoResponse = {
  outcome: 'transient';
  error: AppError;
  status: undefined;
  json: undefined;
  serverSaid: undefined;
};

const HEADERS = {
  accept: 'application/json',
  'accept-encoding': 'identity',
  'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
};
const NO_SECRETS = new Set(['grant_type', 'client_id', 'redirect_uri', 'scope', 'token_type_hint']);

export function createTokenEndpoint({
  provider,
  send,
  emit,
  now,
  monotonicMs,
}: {
  provider: Provider;
  send: Send;
  emit: Emit;
  now: () => number;
  monotonicMs: () => number;
}): TokenEndpoint {
  const { tokenUrl, revokeUrl, clientId, clientSecrets, timeoutMs = DEFAULT_TIMEOUT_MS } = provider;

  /** The client authenticates in the body (`client_secret_post`, RFC 6749 section 2.3.1), as GetBill documents it. */
  async function post(
    url: URL,
    grantType: GrantType,
    parameters: Parameters,
  ): Promise<Judgement | NoResponse> {
    let response: HttpResponse;
    try {
      response = await send(url, {
        headers: HEADERS,
        body: new URLSearchParams(parameters).toString(),
        timeoutMs,
      });
    } catch (error) {
      return {
        outcome: 'transient',
        error: error as AppError,
        status: undefined,
        json: undefined,
        serverSaid: undefined,
      };
    }
    const secrets = Object.entries(parameters).flatMap(([name, value]) =>
      NO_SECRETS.has(name) ? [] : [value],
    );
    return judgeTokenResponse(response, { grantType, nowMs: now(), secrets });
  }

  async function call(
    url: URL,
    grantType: GrantType,
    parameters: Parameters,
  ): Promise<TokenResponse | undefined> {
    const startedMs = monotonicMs();
    const [secret, ...laterSecrets] = clientSecrets.map((wrapped) => wrapped.reveal());
    const withSecret = (client_secret = ''): Parameters => ({
      ...parameters,
      client_id: clientId,
      client_secret,
    });

    let judgement = await post(url, grantType, withSecret(secret));
    for (const laterSecret of laterSecrets) {
      if (!isInvalidClient(judgement)) break;
      emit({ type: 'client_secret_fallback', grantType });
      judgement = await post(url, grantType, withSecret(laterSecret));
    }
    emit({
      type: 'token_requested',
      grantType,
      outcome: judgement.outcome,
      status: judgement.status,
      durationMs: monotonicMs() - startedMs,
      parameters: Object.keys(withSecret()),
      shape: shapeOf(judgement.json),
      ...(judgement.serverSaid !== undefined && { serverSaid: judgement.serverSaid }),
    });
    if (judgement.outcome !== 'ok') throw judgement.error;
    return judgement.token;
  }

  async function grant(grantType: GrantType, parameters: Parameters): Promise<TokenResponse> {
    const token = await call(tokenUrl, grantType, { ...parameters, grant_type: grantType });
    if (token === undefined) throw new TypeError(`no token for ${grantType}`);
    return token;
  }

  return {
    exchangeCode: (response, codeVerifier) =>
      grant('authorization_code', {
        code: response.get('code') ?? '',
        redirect_uri: provider.redirectUri,
        code_verifier: codeVerifier,
      }),
    refresh: (refreshToken) => grant('refresh_token', { refresh_token: refreshToken }),
    clientCredentials: (scopes) => grant('client_credentials', { scope: scopes.join(' ') }),
    async revoke(token, hint) {
      if (revokeUrl !== undefined)
        await call(revokeUrl, 'revocation', { token, token_type_hint: hint });
    },
  };
}

const isInvalidClient = (judgement: Judgement | NoResponse): boolean =>
  judgement.outcome === 'misconfigured' && judgement.error.code === 'invalid_client';

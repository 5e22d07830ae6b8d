import * as oauth from 'oauth4webapi';
import type { GetbillConfig } from '../../config/config.js';
import { GrantRefusedError, MisconfiguredError } from '../errors.js';
import { shapeOf, type Emit, type GrantType, type TokenOutcome } from '../events.js';
import { protocolParties, type AuthorizationCode } from './authorization.js';
import { jsonObject, judgeTokenAnswer, type TokenAnswer } from './token-response.js';
import type { TokenEndpointResponse } from './token-set.js';

/** One POST with a deadline, redirects not followed, the body read whole. @throws {UnavailableError} no answer. */
export type Send = (
  url: URL,
  request: { headers: Record<string, string>; body: string; timeoutMs: number },
) => Promise<TokenAnswer>;

/**
 * Each call is sent once and ends within `GETBILL_TIMEOUT_MS`; only `invalid_client` is sent again, with the next secret.
 * @throws {GrantRefusedError} the code or refresh token is dead.
 * @throws {MisconfiguredError} the server rejects our credentials, URL or parameters.
 * @throws {UnavailableError} anything else; it may work later. `status` is 504 for a timeout, else 502.
 */
export interface TokenEndpoint {
  exchangeCode(code: AuthorizationCode, codeVerifier: string): Promise<TokenEndpointResponse>;
  refresh(refreshToken: string): Promise<TokenEndpointResponse>;
  clientCredentials(scopes: readonly string[]): Promise<TokenEndpointResponse>;
  /** RFC 7009; resolves without a call when no revocation URL is configured. */
  revoke(token: string, hint: 'refresh_token' | 'access_token'): Promise<void>;
}

type Party = readonly [oauth.AuthorizationServer, oauth.Client, oauth.ClientAuth];
type Request = (party: Party, options: object) => Promise<Response>;

export function createTokenEndpoint({
  config,
  send,
  emit,
  monotonicMs,
}: {
  config: GetbillConfig;
  send: Send;
  emit: Emit;
  monotonicMs: () => number;
}): TokenEndpoint {
  const { as, client } = protocolParties(config);
  const secrets = config.clientSecrets.map((clientSecret) => clientSecret.reveal());

  /** oauth4webapi builds the request; its answer is kept apart, because it is judged by our outcomes first. */
  async function post(
    request: Request,
    clientSecret: string,
    note: (sent: URLSearchParams) => void,
  ): Promise<TokenAnswer> {
    let answer: TokenAnswer | undefined;
    await request([as, client, oauth.ClientSecretPost(clientSecret)], {
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so only to stand out
      [oauth.allowInsecureRequests]: true, // which hosts may be called over http is decided once, in config.ts
      [oauth.customFetch]: async (url: string, init: { headers: Record<string, string>; body: URLSearchParams }) => {
        note(init.body);
        answer = await send(new URL(url), {
          headers: init.headers,
          body: init.body.toString(),
          timeoutMs: config.timeoutMs,
        });
        return new Response();
      },
    });
    if (answer === undefined) throw new TypeError('oauth4webapi sent no request');
    return answer;
  }

  async function call(grantType: GrantType, request: Request): Promise<TokenEndpointResponse> {
    const startedMs = monotonicMs();
    let parameters: string[] = [];
    let answer: TokenAnswer | undefined;
    const report = (outcome: TokenOutcome): void => {
      const durationMs = monotonicMs() - startedMs;
      const shape = answer === undefined ? undefined : shapeOf(jsonObject(answer.body));
      emit({ type: 'token_requested', grantType, outcome, status: answer?.status, durationMs, parameters, shape });
    };
    try {
      let rejected: unknown;
      for (const [index, clientSecret] of secrets.entries()) {
        if (index > 0) emit({ type: 'client_secret_fallback', grantType });
        try {
          answer = await post(request, clientSecret, (sent) => (parameters = [...sent.keys()]));
          const response = await judgeTokenAnswer(answer, { as, client, grantType });
          report('ok');
          return response;
        } catch (error) {
          if (!(error instanceof MisconfiguredError && error.code === 'invalid_client')) throw error;
          rejected = error;
        }
      }
      throw rejected as Error;
    } catch (error) {
      report(outcomeOf(error));
      throw error;
    }
  }

  return {
    exchangeCode: (code, codeVerifier) =>
      call('authorization_code', ([...party], options) =>
        oauth.authorizationCodeGrantRequest(...party, code, config.redirectUri, codeVerifier, options),
      ),
    refresh: (refreshToken) =>
      call('refresh_token', ([...party], options) => oauth.refreshTokenGrantRequest(...party, refreshToken, options)),
    clientCredentials: (scopes) =>
      call('client_credentials', ([...party], options) =>
        oauth.clientCredentialsGrantRequest(...party, { scope: scopes.join(' ') }, options),
      ),
    async revoke(token, hint) {
      if (config.revokeUrl === undefined) return;
      await call('revocation', ([...party], options) =>
        oauth.revocationRequest(...party, token, { ...options, additionalParameters: { token_type_hint: hint } }),
      );
    },
  };
}

function outcomeOf(error: unknown): TokenOutcome {
  if (error instanceof GrantRefusedError) return 'refused';
  return error instanceof MisconfiguredError ? 'misconfigured' : 'transient';
}

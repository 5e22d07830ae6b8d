import type { Clock } from '../clock.js';
import { UnavailableError, type AppError } from '../errors.js';
import { shapeOf, type Emit, type GrantType } from '../events.js';
import type { AuthorizationCode } from './authorization.js';
import { DEFAULT_TIMEOUT_MS, type Provider } from './provider.js';
import { judgeTokenResponse, type HttpResponse, type Judgement } from './token-response.js';
import { isToken, type TokenResponse } from './token-set.js';

/** One POST with a deadline, no redirect followed, the body whole. @throws {UnavailableError} */
export type Send = (
  url: URL,
  request: { headers: Record<string, string>; body: string; timeoutMs: number },
) => Promise<HttpResponse>;

export type TokenEndpoint = ReturnType<typeof createTokenEndpoint>;

type Parameters = Readonly<Record<string, string>>;

const HEADERS = {
  accept: 'application/json',
  'accept-encoding': 'identity',
  'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
};
const MAX_LENGTH = 65_536;
const NOT_SECRET = new Set(['grant_type', 'client_id', 'redirect_uri', 'scope', 'token_type_hint']);

/**
 * Each call is sent once, and again with the next secret only after `invalid_client` or 401; both
 * together end within the provider's `timeoutMs`.
 * @throws {GrantRefusedError} the code or refresh token is dead.
 * @throws {MisconfiguredError} the server rejects our credentials, URL or parameters.
 * @throws {UnavailableError} anything else; it may work later. `status`: 504 (timeout) or 502.
 */
export function createTokenEndpoint({
  provider,
  send,
  emit,
  now,
  monotonicMs,
}: { provider: Provider; send: Send; emit: Emit } & Pick<Clock, 'now' | 'monotonicMs'>) {
  const { tokenUrl, revokeUrl, clientId, clientSecrets, timeoutMs = DEFAULT_TIMEOUT_MS } = provider;

  async function post(url: URL, grantType: GrantType, form: Parameters, untilMs: number) {
    const body = new URLSearchParams(form).toString();
    let response: HttpResponse;
    try {
      const leftMs = Math.max(1, Math.ceil(untilMs - monotonicMs()));
      response = await send(url, { headers: HEADERS, body, timeoutMs: leftMs });
    } catch (error) {
      return { outcome: 'transient', error: error as AppError } as const;
    }
    const secrets = Object.entries(form).flatMap(([name, value]) =>
      NOT_SECRET.has(name) ? [] : [value],
    );
    return judgeTokenResponse(response, { grantType, nowMs: now(), secrets });
  }

  /** The client authenticates in the body: `client_secret_post` (RFC 6749 section 2.3.1). */
  async function call(url: URL, grantType: GrantType, parameters: Parameters) {
    const startedMs = monotonicMs();
    const untilMs = startedMs + timeoutMs;
    const [secret, ...laterSecrets] = clientSecrets.map((wrapped) => wrapped.reveal());
    const form = { ...parameters, client_id: clientId, client_secret: secret ?? '' };

    let judgement: Judgement = await post(url, grantType, form, untilMs);
    for (const client_secret of laterSecrets) {
      if (!isInvalidClient(judgement) || monotonicMs() >= untilMs) break;
      emit({ type: 'client_secret_fallback', grantType });
      judgement = await post(url, grantType, { ...form, client_secret }, untilMs);
    }
    const { outcome, status, json, serverSaid } = judgement;
    emit({
      type: 'token_requested',
      grantType,
      outcome,
      status,
      durationMs: monotonicMs() - startedMs,
      parameters: Object.keys(form),
      shape: shapeOf(json),
      ...(serverSaid !== undefined && { serverSaid }),
    });
    if (judgement.outcome === 'ok') return judgement.token;
    const issued = grantType === 'authorization_code' ? json : undefined; // nobody else has them
    for (const kind of ['refresh_token', 'access_token'] as const)
      if (isToken(issued?.[kind])) void revoke(issued[kind], kind).catch(() => undefined);
    throw judgement.error;
  }

  async function grant(grantType: GrantType, parameters: Parameters): Promise<TokenResponse> {
    const token = await call(tokenUrl, grantType, { ...parameters, grant_type: grantType });
    if (token === undefined) throw new TypeError(`no token for ${grantType}`);
    return token;
  }

  /** RFC 7009; resolves without a call when no revocation URL is configured. */
  async function revoke(token: string, hint: 'refresh_token' | 'access_token'): Promise<void> {
    if (revokeUrl !== undefined)
      await call(revokeUrl, 'revocation', { token, token_type_hint: hint });
  }

  return {
    exchangeCode: (response: AuthorizationCode, codeVerifier: string) =>
      grant('authorization_code', {
        code: response.get('code') ?? '',
        redirect_uri: provider.redirectUri,
        code_verifier: codeVerifier,
      }),
    refresh: (refreshToken: string) => grant('refresh_token', { refresh_token: refreshToken }),
    clientCredentials: (scopes: readonly string[]) =>
      grant('client_credentials', { scope: scopes.join(' ') }),
    revoke,
  };
}

/** 401 is about the client (RFC 6749 section 5.2): Keycloak says `unauthorized_client` with it. */
const isInvalidClient = (judgement: Judgement): boolean =>
  judgement.outcome === 'misconfigured' &&
  (judgement.status === 401 || judgement.error.code === 'invalid_client');

/** `fetch` decodes the body, so what is passed on is its text, up to `MAX_LENGTH`. */
export function sendWithFetch(fetch: typeof globalThis.fetch): Send {
  return async (url, { timeoutMs, ...request }) => {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(url, { ...request, method: 'POST', redirect: 'manual', signal });
      let body = '';
      for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        body += text;
        if (body.length > MAX_LENGTH) throw new Error('the response is too long');
      }
      return { status: response.status, headers: Object.fromEntries(response.headers), body };
    } catch (cause) {
      throw new UnavailableError('the token endpoint gave no response', {
        code: signal.aborted ? 'token_endpoint_timeout' : 'token_endpoint_unreachable',
        status: signal.aborted ? 504 : 502,
        cause,
      });
    }
  };
}

import { AppError, GrantRefusedError, SignInError } from '../errors.js';
import type { Emit } from '../events.js';
import {
  createAuthorizationRequest,
  stateOf,
  validateAuthorizationResponse,
} from '../oauth/authorization.js';
import type { Provider } from '../oauth/provider.js';
import type { TokenEndpoint } from '../oauth/token-endpoint.js';
import { tokenSetFromResponse, type TokenSet } from '../oauth/token-set.js';
import type { PendingLogins } from './pending-logins.js';

export interface SignIn {
  /** Where to send the browser. `scopes`: instead of the provider's. @throws {StorageError} */
  start(options: {
    binding: string;
    returnTo: string;
    scopes?: readonly string[] | undefined;
  }): Promise<URL>;
  /**
   * Takes the pending login, checks the response, exchanges the code: in this order, each at most once.
   * `undefined` when this browser has no such pending login (any more).
   * @throws {SignInError} the response is malformed, or the server said no. @throws {MisconfiguredError} {UnavailableError} {StorageError}
   */
  complete(options: { binding: string; response: URLSearchParams }): Promise<Completed | undefined>;
}

export interface Completed {
  readonly tokenSet: TokenSet;
  readonly returnTo: string;
  readonly requestedScopes: readonly string[];
  /** Keyed hash of the state, for events. */
  readonly login: string;
}

export function createSignIn({
  provider,
  pendingLogins,
  tokenEndpoint,
  emit,
  fingerprint,
  now,
}: {
  provider: Provider;
  pendingLogins: PendingLogins;
  tokenEndpoint: Pick<TokenEndpoint, 'exchangeCode'>;
  emit: Emit;
  fingerprint: (id: string) => string;
  now: () => number;
}): SignIn {
  async function exchange(
    response: URLSearchParams,
    state: string,
    { codeVerifier, requestedScopes }: { codeVerifier: string; requestedScopes: readonly string[] },
  ): Promise<TokenSet> {
    const code = validateAuthorizationResponse(response, { provider, expectedState: state });
    const sentAtMs = now();
    try {
      const tokenResponse = await tokenEndpoint.exchangeCode(code, codeVerifier);
      return tokenSetFromResponse(tokenResponse, { sentAtMs, requestedScopes });
    } catch (error) {
      if (!(error instanceof GrantRefusedError)) throw error;
      throw new SignInError('the authorization server refused the code', {
        code: 'code_refused',
        status: 400,
        cause: error,
        hint: 'the code was used before, too old, or issued for another redirect URI or client',
        ...(error.serverSaid !== undefined && { serverSaid: error.serverSaid }),
      });
    }
  }

  return {
    async start({ binding, returnTo, scopes }) {
      const asked = scopes === undefined ? provider : { ...provider, scopes };
      const { url, state, codeVerifier } = await createAuthorizationRequest(asked);
      await pendingLogins.keep(
        { binding, state },
        { codeVerifier, returnTo, ...(scopes && { scopes }) },
      );
      emit({ type: 'login_started', login: fingerprint(state) });
      return url;
    },
    async complete({ binding, response }) {
      try {
        const state = stateOf(response);
        const pending = await pendingLogins.take({ binding, state });
        if (pending === undefined) return undefined;
        const { codeVerifier, returnTo, scopes: requestedScopes = provider.scopes } = pending;
        const tokenSet = await exchange(response, state, { codeVerifier, requestedScopes });
        return { tokenSet, returnTo, requestedScopes, login: fingerprint(state) };
      } catch (error) {
        emit({
          type: 'login_failed',
          reason: error instanceof AppError ? error.code : 'unexpected',
        });
        throw error;
      }
    },
  };
}

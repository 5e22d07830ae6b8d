import type { Clock } from '../clock.js';
import { AppError, GrantRefusedError, SignInError } from '../errors.js';
import type { Emit, Fingerprint } from '../events.js';
import {
  createAuthorizationRequest,
  stateOf,
  validateAuthorizationResponse,
} from '../oauth/authorization.js';
import type { Provider } from '../oauth/provider.js';
import type { TokenEndpoint } from '../oauth/token-endpoint.js';
import { tokenSetFromResponse, type TokenSet } from '../oauth/token-set.js';
import type { PendingLogin, PendingLogins } from './pending-logins.js';

export interface CompleteOptions {
  readonly binding: string;
  readonly response: URLSearchParams;
}

export interface Completed {
  readonly tokenSet: TokenSet;
  readonly returnTo: string;
  readonly requestedScopes: readonly string[];
  /** Keyed hash of the state, for events. */
  readonly login: string;
}

/** `binding`: the random value of the browser's binding cookie. `returnTo`: "/" by default. */
export interface StartOptions {
  readonly binding: string;
  readonly returnTo?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
}

export type SignIn = ReturnType<typeof createSignIn>;

export function createSignIn({
  provider,
  pendingLogins,
  tokenEndpoint,
  emit,
  fingerprint,
  clock,
}: {
  provider: Provider;
  pendingLogins: PendingLogins;
  tokenEndpoint: Pick<TokenEndpoint, 'exchangeCode'>;
  emit: Emit;
  fingerprint: Fingerprint;
  clock: Clock;
}) {
  /** The response belongs to this login: an error carries the page that was asked for. */
  async function finish(
    response: URLSearchParams,
    state: string,
    { codeVerifier, returnTo, scopes: requestedScopes = provider.scopes }: PendingLogin,
  ): Promise<Completed> {
    try {
      const code = validateAuthorizationResponse(response, { provider, expectedState: state });
      const sentAtMs = clock.now();
      const tokenResponse = await tokenEndpoint.exchangeCode(code, codeVerifier);
      const tokenSet = tokenSetFromResponse(tokenResponse, { sentAtMs, requestedScopes });
      return { tokenSet, returnTo, requestedScopes, login: fingerprint(state) };
    } catch (error) {
      const failure = error instanceof GrantRefusedError ? codeRefused(error) : error;
      if (failure instanceof AppError) failure.returnTo = returnTo;
      throw failure;
    }
  }

  return {
    /** Where to send the browser. `scopes`: instead of the provider's. @throws {StorageError} */
    async start({ binding, returnTo = '/', scopes }: StartOptions): Promise<URL> {
      const asked = scopes === undefined ? provider : { ...provider, scopes };
      const { url, state, codeVerifier } = await createAuthorizationRequest(asked);
      const login = { codeVerifier, returnTo, ...(scopes && { scopes }) };
      await pendingLogins.keep({ binding, state }, login);
      emit({ type: 'login_started', login: fingerprint(state) });
      return url;
    },
    /**
     * Takes the pending login, checks the response, exchanges the code, each at most once.
     * `undefined` when this browser has no such pending login (any more).
     * @throws {SignInError} the response is malformed, or the server said no.
     * @throws {MisconfiguredError} @throws {UnavailableError} @throws {StorageError}
     */
    async complete({ binding, response }: CompleteOptions): Promise<Completed | undefined> {
      try {
        const state = stateOf(response);
        const pending = await pendingLogins.take({ binding, state });
        return pending && (await finish(response, state, pending));
      } catch (error) {
        const reason = error instanceof AppError ? error.code : 'unexpected';
        emit({ type: 'login_failed', reason });
        throw error;
      }
    },
  };
}

const codeRefused = (cause: GrantRefusedError): SignInError =>
  new SignInError('the authorization server refused the code', {
    code: 'code_refused',
    status: 400,
    cause,
    hint: 'the code was used before, too old, or issued for another redirect URI or client',
    serverSaid: cause.serverSaid,
  });

import { hash } from 'node:crypto';
import { GrantEndedError, RecordError } from './errors.js';
import type { TokenEndpoint } from './oauth/token-endpoint.js';
import type { TokenSet } from './oauth/token-set.js';
import type { TokensOptions } from './tokens/context.js';
import { createParts } from './tokens/parts.js';
import { createTokenManager } from './tokens/token-manager.js';

/** A year; then one caller waits for a token again. */
const RECORD_MS = 365 * 86_400_000;
/** A new record holds a token set that expired so long ago that every process's clock agrees. */
const ENDED_FOR_MS = 10_000;
const NO_TOKEN = '';

/** The app's own right to call the API, in the shape of a person's. */
export interface AppAccess {
  readonly grantId: string;
  readonly accessToken: string;
  renew(rejected: string): Promise<TokenSet>;
}

export type AppTokens = ReturnType<typeof createAppTokens>;

type AppTokensOptions = Omit<TokensOptions, 'renewWith' | 'isRenewable' | 'revoke'> & {
  clientId: string;
  tokenEndpoint: Pick<TokenEndpoint, 'clientCredentials'>;
};

/**
 * The app's own tokens (RFC 6749 section 4.4), for work without a person: one per set of scopes,
 * shared by all processes. The lifecycle of a person's, renewed with the client's credentials.
 */
export function createAppTokens({ clientId, tokenEndpoint, ...options }: AppTokensOptions) {
  const parts = createParts({
    ...options,
    isRenewable: () => true,
    revoke: undefined,
    async renewWith({ scopes }) {
      const response = await tokenEndpoint.clientCredentials(scopes);
      // A refresh token "SHOULD NOT be included" (section 4.4.3); the scopes asked for stay.
      return { ...response, refresh_token: undefined, scopes: undefined };
    },
  });
  const tokens = createTokenManager(parts);

  /** All who come before there is a token make the same record; one of them renews it. */
  async function begin(grantId: string, scopes: readonly string[]): Promise<TokenSet> {
    const endedAtMs = parts.clock.now() - ENDED_FOR_MS;
    const ended = { issuedAtMs: endedAtMs, expiresAtMs: endedAtMs, renewals: 0 };
    const tokenSet = { accessToken: NO_TOKEN, refreshToken: undefined, scopes, ...ended };
    await parts.records.createIfAbsent(grantId, tokenSet, { ttlMs: RECORD_MS });
    return await tokens.renew(grantId, NO_TOKEN);
  }

  return {
    /**
     * A token that is good now. A caller waits for the first one and for one that has expired, not
     * within the margin. A record whose encryption key is gone is made anew: nothing is lost.
     * @throws {MisconfiguredError} the server rejects the client or the scopes: not asked again for
     * 30 s. @throws {UnavailableError} in those, and for any other failure. @throws {StorageError}
     */
    async access(scopes: readonly string[]): Promise<AppAccess> {
      const sorted = [...new Set(scopes)].sort();
      const name = JSON.stringify([clientId, sorted.join(' ')]);
      const grantId = `app.${hash('sha256', name, 'base64url')}`;
      const { accessToken } = await tokens.fresh(grantId).catch(async (error: unknown) => {
        if (error instanceof RecordError) await parts.records.remove(grantId);
        else if (!(error instanceof GrantEndedError)) throw error;
        return await begin(grantId, sorted);
      });
      return { grantId, accessToken, renew: (rejected) => tokens.renew(grantId, rejected) };
    },
    idle: () => tokens.idle(),
  };
}

import { hash } from 'node:crypto';
import { GrantEndedError } from '../errors.js';
import type { TokenEndpoint } from '../oauth/token-endpoint.js';
import type { TokenResponse } from '../oauth/token-response.js';
import type { TokenSet } from '../oauth/token-set.js';
import { createTokenRecords } from './token-records.js';
import { createTokens } from './tokens.js';

/** Long past any access token; every renewal starts it anew. */
const RECORD_MS = 30 * 86_400_000;
/** What a record holds until its first token has come. */
const NONE = '';

/** The app's own right to call the API, as `Access` wants it. */
export interface AppAccess {
  readonly grantId: string;
  readonly accessToken: string;
  renew(rejected: string): Promise<TokenSet>;
}

/** The app's own tokens (RFC 6749 section 4.4), for work without a person: one per set of scopes, shared by all processes. */
export interface AppTokens {
  /**
   * Good now. Only the first token is waited for; within the margin before expiry nobody waits.
   * @throws {MisconfiguredError} GetBill rejects the client or the scopes: not asked again for 30 s, which is then an
   * @throws {UnavailableError} as every other failure. @throws {StorageError}
   */
  access(scopes: readonly string[]): Promise<AppAccess>;
  /** Resolves when no renewal or delayed write is under way. */
  idle(): Promise<void>;
}

type Lifecycle = Omit<Parameters<typeof createTokens>[0], 'tokenEndpoint' | 'revocationEnabled'>;

/**
 * The lifecycle of a person's tokens, unchanged. What renews those is a refresh token; what renews the app's are its
 * credentials, so the scopes to ask for stand in the refresh token's place. Neither can turn into the other: this one
 * is given `clientCredentials` and nothing else, a person's `refresh` and nothing else, and their keys differ.
 */
export function createAppTokens({
  clientId,
  tokenEndpoint,
  ...lifecycle
}: Lifecycle & {
  clientId: string;
  tokenEndpoint: Pick<TokenEndpoint, 'clientCredentials'>;
}): AppTokens {
  const records = createTokenRecords(lifecycle);

  async function refresh(scope: string): Promise<TokenResponse> {
    const answer = await tokenEndpoint.clientCredentials(scope.split(' '));
    await records.prolong(grantIdOf(scope), { ttlMs: RECORD_MS }).catch(() => undefined); // the next renewal will
    return { ...answer, refresh_token: undefined }; // "SHOULD NOT be included" (section 4.4.3); it would displace the scopes
  }
  const tokens = createTokens({
    ...lifecycle,
    tokenEndpoint: { refresh, revoke: async () => Promise.resolve() },
    revocationEnabled: false,
  });

  const grantIdOf = (scope: string): string =>
    `app.${hash('sha256', JSON.stringify([clientId, scope]), 'base64url')}`;

  /** A record whose token has already ended: whoever comes first gets one, under the lease. */
  async function begin(grantId: string, scope: string): Promise<TokenSet> {
    const endedAtMs = lifecycle.now();
    const ended = { issuedAtMs: endedAtMs, expiresAtMs: endedAtMs, renewals: 0 };
    const tokenSet = { accessToken: NONE, refreshToken: scope, scopes: scope.split(' '), ...ended };
    await records.createIfAbsent(grantId, tokenSet, { ttlMs: RECORD_MS });
    return await tokens.fresh(grantId);
  }

  return {
    async access(scopes) {
      const scope = [...new Set(scopes)].sort().join(' ');
      const grantId = grantIdOf(scope);
      const renew = (rejected: string): Promise<TokenSet> => tokens.renew(grantId, rejected);
      const tokenSet = await tokens.fresh(grantId).catch((error: unknown) => {
        if (error instanceof GrantEndedError) return begin(grantId, scope);
        throw error;
      });
      // To a clock that is behind, a record that has just begun has not ended yet.
      const { accessToken } = tokenSet.accessToken === NONE ? await renew(NONE) : tokenSet;
      return { grantId, accessToken, renew };
    },
    idle: () => tokens.idle(),
  };
}

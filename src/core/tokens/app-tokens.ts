import { hash } from 'node:crypto';
import { GrantEndedError } from '../errors.js';
import { createReport } from '../events.js';
import type { TokenEndpoint } from '../oauth/token-endpoint.js';
import type { TokenSet } from '../oauth/token-set.js';
import { createTokenRecords } from './token-records.js';
import { createTokens, type TokensOptions } from './tokens.js';

/** Long past any access token; every renewal starts it anew. */
const RECORD_MS = 30 * 86_400_000;
/** A new record holds a token set that has ended, to every clock, until the first token is there. */
const ENDED_FOR_MS = 10_000;
const NO_TOKEN = '';

/** The app's own right to call the API, in the shape of a person's. */
export interface AppAccess {
  readonly grantId: string;
  readonly accessToken: string;
  renew(rejected: string): Promise<TokenSet>;
}

/**
 * The app's own tokens (RFC 6749 section 4.4), for work without a person: one per set of scopes,
 * shared by all processes.
 */
export interface AppTokens {
  /**
   * Good now. Only the first token is waited for; within the margin before expiry nobody waits.
   * @throws {MisconfiguredError} the server rejects the client or the scopes: not asked again for
   * 30 s, which is then an @throws {UnavailableError} as every other failure. @throws {StorageError}
   */
  access(scopes: readonly string[]): Promise<AppAccess>;
  /** Renewed token sets that wait in memory for the storage. */
  pendingWrites(): number;
  /** Forgets token sets that were not used lately; for a timer. */
  sweep(): void;
  /** Resolves when no renewal or delayed write is under way. */
  idle(): Promise<void>;
}

export interface AppTokensOptions extends Omit<
  TokensOptions,
  'renewWith' | 'isRenewable' | 'revoke' | 'renewedTtlMs' | 'parts'
> {
  clientId: string;
  tokenEndpoint: Pick<TokenEndpoint, 'clientCredentials'>;
}

/** The lifecycle of a person's tokens, renewed with the client's credentials and not with a token. */
export function createAppTokens({
  clientId,
  tokenEndpoint,
  ...options
}: AppTokensOptions): AppTokens {
  const report = createReport(options.emit, options.fingerprint);
  const records = createTokenRecords({ ...options, report });
  const tokens = createTokens({
    ...options,
    isRenewable: () => true,
    revoke: undefined,
    renewedTtlMs: RECORD_MS,
    async renewWith({ scopes }) {
      const response = await tokenEndpoint.clientCredentials(scopes);
      // A refresh token "SHOULD NOT be included" (section 4.4.3); the scopes to ask for stay as they are.
      return { ...response, refresh_token: undefined, scope: undefined };
    },
  });

  const grantIdOf = (scope: string): string =>
    `app.${hash('sha256', JSON.stringify([clientId, scope]), 'base64url')}`;

  /** All who come before there is a token make the same record; one of them renews it. */
  async function begin(grantId: string, scopes: readonly string[]): Promise<TokenSet> {
    const endedAtMs = options.clock.now() - ENDED_FOR_MS;
    const ended = { issuedAtMs: endedAtMs, expiresAtMs: endedAtMs, renewals: 0 };
    const tokenSet = { accessToken: NO_TOKEN, refreshToken: undefined, scopes, ...ended };
    await records.createIfAbsent(grantId, tokenSet, { ttlMs: RECORD_MS });
    return await tokens.renew(grantId, NO_TOKEN);
  }

  return {
    async access(scopes) {
      const sorted = [...new Set(scopes)].sort();
      const grantId = grantIdOf(sorted.join(' '));
      const { accessToken } = await tokens.fresh(grantId).catch((error: unknown) => {
        if (error instanceof GrantEndedError) return begin(grantId, sorted);
        throw error;
      });
      return { grantId, accessToken, renew: (rejected) => tokens.renew(grantId, rejected) };
    },
    pendingWrites: () => tokens.pendingWrites(),
    sweep: () => tokens.sweep(),
    idle: () => tokens.idle(),
  };
}

import { randomBytes } from 'node:crypto';
import type { AdapterPayload } from 'oidc-provider';
import type { Counters } from '../counters.js';
import type { Faults } from '../faults.js';
import { splitScopes } from './scopes.js';
import type { Storage } from './storage.js';

export interface ApiToken {
  clientId: string;
  companyId: string;
  scopes: readonly string[];
}

type RefreshOutcome =
  | { accessToken: string; expiresInS: number; refreshToken: string | undefined; scope: string }
  | { refused: 'invalid_grant' | 'invalid_scope'; description: string };

/** What was decided on the sign-in page. */
interface Decision {
  companyId: string;
  requestedScopes: readonly string[];
}

/** Which company a grant is for, and the refresh of its tokens. */
export interface Grants {
  remember: (grantId: string, decision: Decision) => void;
  /** Whether the grant gives all that the app asked for. */
  isComplete: (grantId: string, grantedScope: string) => boolean;
  refresh: (request: {
    refreshToken: string;
    clientId: string;
    scope: string | undefined;
  }) => RefreshOutcome;
  apiToken: (accessToken: string) => ApiToken | undefined;
  expireAccessTokens: () => void;
  revokeAll: () => void;
}

export interface GrantsDeps {
  storage: Storage;
  clock: () => number;
  faults: () => Readonly<Faults>;
  counters: () => Counters;
  /** The company that client_credentials tokens act for. */
  ownCompanyId: string;
}

export const refreshTokenLifetimeS = 30 * 24 * 3600;

const newToken = () => randomBytes(32).toString('base64url');

export function createGrants({
  storage,
  clock,
  faults,
  counters,
  ownCompanyId,
}: GrantsDeps): Grants {
  const decisions = new Map<string, Decision>();

  function issue(
    model: 'AccessToken' | 'RefreshToken',
    from: AdapterPayload,
    scope: string,
    lifetimeS: number,
  ): string {
    const jti = newToken();
    const iat = Math.floor(clock() / 1000);
    const { accountId, clientId, grantId, sessionUid } = from;
    const payload = {
      accountId,
      clientId,
      grantId,
      sessionUid,
      scope,
      iat,
      exp: iat + lifetimeS,
      jti,
      kind: model,
    };
    storage.put(model, jti, payload, lifetimeS);
    return jti;
  }

  /**
   * Does not wait for anything: of two refreshes with one token the second always sees what the
   * first did.
   */
  function tryRefresh(request: Parameters<Grants['refresh']>[0]): RefreshOutcome {
    const stored = storage.get('RefreshToken', request.refreshToken);
    const refuse = (description: string): RefreshOutcome => ({
      refused: 'invalid_grant',
      description,
    });
    if (stored?.grantId === undefined) return refuse('refresh token not found');
    if (stored.clientId !== request.clientId) return refuse('client mismatch');
    if (storage.get('Grant', stored.grantId) === undefined) return refuse('grant not found');
    if (stored.consumed !== undefined) {
      counters().refreshReuse += 1;
      storage.removeOfGrant(stored.grantId);
      return refuse('refresh token already used');
    }
    const granted = splitScopes(stored.scope);
    const scopes = request.scope === undefined ? granted : splitScopes(request.scope);
    if (!scopes.every((scope) => granted.includes(scope))) {
      return { refused: 'invalid_scope', description: 'requested scope was not granted' };
    }
    const { refreshToken: style, oldAccessTokenDies, accessTokenLifetimeS } = faults();
    if (oldAccessTokenDies) storage.removeOfGrant(stored.grantId, 'AccessToken');
    let refreshToken = style === 'omit' ? undefined : request.refreshToken;
    if (style === 'rotate') {
      stored.consumed = Math.floor(clock() / 1000);
      refreshToken = issue('RefreshToken', stored, granted.join(' '), refreshTokenLifetimeS);
    }
    const scope = scopes.join(' ');
    const accessToken = issue('AccessToken', stored, scope, accessTokenLifetimeS);
    return { accessToken, expiresInS: accessTokenLifetimeS, refreshToken, scope };
  }

  return {
    remember: (grantId, decision) => void decisions.set(grantId, decision),
    isComplete(grantId, grantedScope) {
      const granted = splitScopes(grantedScope);
      const { requestedScopes = [] } = decisions.get(grantId) ?? {};
      return requestedScopes.every((scope) => granted.includes(scope));
    },
    refresh(request) {
      const outcome = tryRefresh(request);
      if ('refused' in outcome) counters().refreshRefused += 1;
      else counters().refreshOk += 1;
      return outcome;
    },
    apiToken(accessToken) {
      const user = storage.get('AccessToken', accessToken);
      const payload = user ?? storage.get('ClientCredentials', accessToken);
      if (payload?.clientId === undefined) return undefined;
      const companyId =
        user === undefined ? ownCompanyId : decisions.get(payload.grantId ?? '')?.companyId;
      if (companyId === undefined) return undefined;
      return { clientId: payload.clientId, companyId, scopes: splitScopes(payload.scope) };
    },
    expireAccessTokens: () => storage.removeAll(['AccessToken', 'ClientCredentials']),
    revokeAll() {
      storage.removeAll([
        'AccessToken',
        'ClientCredentials',
        'RefreshToken',
        'AuthorizationCode',
        'Grant',
      ]);
      decisions.clear();
    },
  };
}

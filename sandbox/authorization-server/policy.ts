import type { errors as ProviderErrors, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { RegisteredClient } from '../client.js';
import type { FaultState } from '../fault-state.js';
import type { Grants } from './grants.js';
import { refusedScope, splitScopes } from './scopes.js';

/** Whoever signs in is this account; what they choose is the company their grant is for. */
export const accountId = 'sandbox-user';

/** A new grant for this company and these scopes; resolves to its id. */
export type MakeGrant = (request: {
  companyId: string;
  clientId: string;
  scopes: readonly string[];
  /** What the app asked for, where that was more. */
  requestedScopes: readonly string[];
}) => Promise<string>;

export function createMakeGrant({
  provider,
  grants,
}: {
  provider: Provider;
  grants: Grants;
}): MakeGrant {
  return async function makeGrant({ companyId, clientId, scopes, requestedScopes }) {
    const granted = new provider.Grant({ accountId, clientId });
    granted.addOIDCScope(scopes.join(' '));
    const grantId = await granted.save();
    grants.remember(grantId, { companyId, requestedScopes });
    return grantId;
  };
}

export interface PolicyDeps {
  grants: Grants;
  faults: FaultState;
  client: RegisteredClient;
  errors: typeof ProviderErrors;
  /** The company that consent "auto" chooses. */
  companyId: string;
}

/**
 * Whether an authorization request has to go by the consent page; refuses scopes the client was not
 * given.
 */
export function mustAsk({ faults, client, errors, grants, companyId }: PolicyDeps) {
  async function allowWithoutAsking({ oidc }: KoaContextWithOIDC, scopes: string[]): Promise<void> {
    const clientId = oidc.client?.clientId ?? '';
    const makeGrant = createMakeGrant({ provider: oidc.provider, grants });
    const grantId = await makeGrant({ companyId, clientId, scopes, requestedScopes: scopes });
    oidc.session?.loginAccount({ accountId });
    oidc.session?.ensureClientContainer(clientId);
    oidc.session?.grantIdFor(clientId, grantId);
    oidc.entity('Account', { accountId, claims: () => ({ sub: accountId }) });
    const saved = await oidc.provider.Grant.find(grantId);
    if (saved !== undefined) oidc.entity('Grant', saved);
  }

  return async function mustAskCheck(ctx: KoaContextWithOIDC): Promise<boolean> {
    if (ctx.oidc.result?.consent !== undefined) return false;
    // Read from the query: oidc-provider has dropped the scopes it does not know from its own
    // parameters.
    const scope = typeof ctx.query['scope'] === 'string' ? ctx.query['scope'] : '';
    const refused = refusedScope(scope, client.scopes);
    if (refused !== undefined)
      throw new errors.InvalidScope('this client may not have the requested scope', refused);
    const scopes = splitScopes(scope);
    if (scopes.length === 0) throw new errors.InvalidScope('"scope" is required', '');
    if (faults.current().consent === 'ask') return true;
    await allowWithoutAsking(ctx, scopes);
    return false;
  };
}

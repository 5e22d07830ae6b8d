import type { errors as ProviderErrors, Provider } from 'oidc-provider';
import type { RegisteredClient } from '../client.js';
import type { Grants } from './grants.js';
import { refusedScope, splitScopes } from './scopes.js';

interface Deps {
  provider: Provider;
  errors: typeof ProviderErrors;
  grants: Grants;
  client: RegisteredClient;
}

/**
 * Replaces two of oidc-provider's handlers; the client is authenticated by then. Its refresh reads
 * and writes in separate steps (two at once would both succeed) and cannot omit the token; its
 * client_credentials takes any scope.
 */
export function registerGrantTypes({ provider, errors, grants, client }: Deps): void {
  provider.registerGrantType<{ refresh_token?: string }>(
    'refresh_token',
    (ctx) => {
      const { refresh_token: refreshToken, scope } = ctx.oidc.params;
      if (!refreshToken)
        throw new errors.InvalidRequest('missing required parameter "refresh_token"');
      const outcome = grants.refresh({ refreshToken, clientId: ctx.oidc.client.clientId, scope });
      if ('refused' in outcome) {
        if (outcome.refused === 'invalid_scope')
          throw new errors.InvalidScope(outcome.description, scope ?? '');
        throw new errors.InvalidGrant(outcome.description);
      }
      ctx.body = {
        token_type: 'Bearer',
        expires_in: outcome.expiresInS,
        access_token: outcome.accessToken,
        ...(outcome.refreshToken !== undefined && { refresh_token: outcome.refreshToken }),
        scope: outcome.scope,
      };
    },
    ['refresh_token', 'scope'],
  );

  provider.registerGrantType(
    'client_credentials',
    async (ctx) => {
      const { scope } = ctx.oidc.params;
      const refused = refusedScope(scope, client.scopes);
      if (refused !== undefined)
        throw new errors.InvalidScope('this client may not have the requested scope', refused);
      if (splitScopes(scope).length === 0) throw new errors.InvalidScope('"scope" is required', '');
      const token = new provider.ClientCredentials({
        client: ctx.oidc.client,
        scope: splitScopes(scope).join(' '),
      });
      const accessToken = await token.save();
      ctx.body = {
        token_type: 'Bearer',
        expires_in: token.expiration,
        access_token: accessToken,
        scope: token.scope,
      };
    },
    ['scope'],
  );
}

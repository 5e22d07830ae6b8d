import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { AdapterPayload, Configuration, interactionPolicy } from 'oidc-provider';
import type { RegisteredClient } from '../client.js';
import type { FaultState } from '../fault-state.js';
import { refreshTokenLifetimeS } from './grants.js';
import { allScopes } from './scopes.js';
import type { Storage } from './storage.js';

export const interactionPath = '/oauth/interaction';
const codeLifetimeS = 600;
const signInLifetimeS = 3600;
const sessionLifetimeS = 14 * 24 * 3600;

export interface ConfigurationDeps {
  storage: Storage;
  client: RegisteredClient;
  faults: FaultState;
  consent: interactionPolicy.Prompt;
  renderError: (error: {
    code: string;
    description: string;
    sentRedirectUri: string;
  }) => Promise<string>;
}

/**
 * Makes oidc-provider look like GetBill: opaque tokens, GetBill's scopes without `openid`, PKCE
 * optional.
 */
export function configurationOf({
  storage,
  client,
  faults,
  consent,
  renderError,
}: ConfigurationDeps): Configuration {
  const accessTokenLifetimeS = () => faults.current().accessTokenLifetimeS;
  return {
    // it belongs to the code: RFC 6749 section 4.1.3
    allowOmittingSingleRegisteredRedirectUri: false,
    adapter: (model) => ({
      ...storage.adapter(model),
      ...(model === 'Client' && {
        find: (id: string) =>
          Promise.resolve(client.active && id === client.clientId ? metadataOf(client) : undefined),
      }),
    }),
    clientAuthMethods: ['client_secret_post', 'client_secret_basic'],
    clientBasedCORS: () => false,
    cookies: {
      names: {
        session: 'sandbox_session',
        interaction: 'sandbox_interaction',
        resume: 'sandbox_resume',
      },
      long: { httpOnly: true, sameSite: 'lax' },
      short: { httpOnly: true, sameSite: 'lax' },
    },
    expiresWithSession: () => false,
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, caller, token) => token.clientId === caller.clientId,
      },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
    },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: {
      policy: [consent],
      url: (_ctx, { uid }) => `${interactionPath}/${uid}`,
    },
    issueRefreshToken: () => true,
    jwks: { keys: [createPrivateKey(newKey()).export({ format: 'jwk' })] },
    // Each sign-in is a grant of its own: ending one does not touch another browser's.
    loadExistingGrant: async ({ oidc }) => {
      const grantId = oidc.result?.consent?.grantId;
      return grantId === undefined ? undefined : oidc.provider.Grant.find(grantId);
    },
    pkce: { required: () => false },
    renderError: async (ctx, { error, error_description: description = '' }) => {
      const code = error === 'invalid_redirect_uri' ? 'redirect_uri_mismatch' : error;
      ctx.type = 'html';
      const sent: unknown = ctx.oidc.params?.['redirect_uri'];
      ctx.body = await renderError({
        code,
        description,
        sentRedirectUri: typeof sent === 'string' ? sent : '',
      });
    },
    routes: {
      authorization: '/oauth/authorize',
      token: '/oauth/token',
      revocation: '/oauth/revoke',
    },
    scopes: [...allScopes],
    ttl: {
      AccessToken: accessTokenLifetimeS,
      ClientCredentials: accessTokenLifetimeS,
      AuthorizationCode: codeLifetimeS,
      RefreshToken: refreshTokenLifetimeS,
      Grant: refreshTokenLifetimeS,
      Interaction: signInLifetimeS,
      Session: sessionLifetimeS,
    },
  };
}

function metadataOf(client: RegisteredClient): AdapterPayload {
  return {
    client_id: client.clientId,
    client_secret: client.secrets[0],
    redirect_uris: client.redirectUris,
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    token_endpoint_auth_method: 'client_secret_post',
    id_token_signed_response_alg: 'ES256',
  };
}

/**
 * As text: Node 20 can freeze for ever when the garbage collector meets the generator of a key that
 * is just exported.
 */
function newKey(): string {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey;
}

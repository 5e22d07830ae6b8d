import { createPrivateKey, generateKeyPairSync, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { inspect } from 'node:util';
import type { AdapterPayload, Configuration, Provider } from 'oidc-provider';
import type { SandboxContext } from '../context.js';
import { createGrants, refreshTokenLifetimeS, type Grants } from './grants.js';
import { registerGrantTypes } from './grant-types.js';
import { accountId, mustAsk, type MakeGrant } from './policy.js';
import { silenceProviderAdvice } from './quiet.js';
import { allScopes } from './scopes.js';
import { createStorage } from './storage.js';
import { tokenEndpoint } from './token-endpoint.js';

export const interactionPath = '/oauth/interaction';
const codeLifetimeS = 600;
const signInLifetimeS = 3600;
const sessionLifetimeS = 14 * 24 * 3600;

export interface AuthorizationServerDeps extends SandboxContext {
  /** The company that client_credentials acts for and that consent "auto" chooses. */
  companyId: string;
  rawBodyOf: (req: IncomingMessage) => string;
  renderError: (error: {
    code: string;
    description: string;
    sentRedirectUri: string;
  }) => Promise<string>;
}

export interface AuthorizationServer {
  provider: Provider;
  grants: Grants;
  grant: MakeGrant;
}

/** oidc-provider set up to look like GetBill: opaque tokens, GetBill's scopes without `openid`, PKCE optional. */
export async function createAuthorizationServer(
  deps: AuthorizationServerDeps,
): Promise<AuthorizationServer> {
  silenceProviderAdvice();
  const { Provider, errors, interactionPolicy } = await import('oidc-provider');
  const { origin, clock, faults, counters, client, companyId } = deps;
  const doubleUse = () => new errors.InvalidGrant('authorization code already consumed');
  const storage = createStorage({ clock, doubleUse });
  const grants = createGrants({
    storage,
    clock,
    faults: faults.current,
    counters,
    ownCompanyId: companyId,
  });
  const accessTokenLifetimeS = () => faults.current().accessTokenLifetimeS;

  async function grant({
    companyId,
    clientId,
    scopes,
    requestedScopes,
  }: Parameters<MakeGrant>[0]): Promise<string> {
    const granted = new provider.Grant({ accountId, clientId });
    granted.addOIDCScope(scopes.join(' '));
    const grantId = await granted.save();
    grants.remember(grantId, { companyId, requestedScopes });
    return grantId;
  }

  function metadata(): AdapterPayload {
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

  const policyDeps = {
    faults,
    client,
    errors,
    grant,
    companyId,
    findGrant: (id: string) => provider.Grant.find(id),
  };
  const configuration: Configuration = {
    allowOmittingSingleRegisteredRedirectUri: false, // it belongs to the code: RFC 6749 section 4.1.3
    adapter: (model) => ({
      ...storage.adapter(model),
      ...(model === 'Client' && {
        find: (id: string) =>
          Promise.resolve(client.active && id === client.clientId ? metadata() : undefined),
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
      policy: [
        new interactionPolicy.Prompt(
          { name: 'consent', requestable: true },
          new interactionPolicy.Check(
            'ask',
            'the company and the scopes are chosen each time',
            mustAsk(policyDeps),
          ),
        ),
      ],
      url: (_ctx, { uid }) => `${interactionPath}/${uid}`,
    },
    issueRefreshToken: () => true,
    jwks: { keys: [createPrivateKey(newKey()).export({ format: 'jwk' })] },
    // Each sign-in is a grant of its own: ending one does not touch another browser's.
    loadExistingGrant: async ({ oidc }) => {
      const grantId = oidc.result?.consent?.grantId;
      return grantId === undefined ? undefined : provider.Grant.find(grantId);
    },
    pkce: { required: () => false },
    renderError: async (ctx, { error, error_description: description = '' }) => {
      const code = error === 'invalid_redirect_uri' ? 'redirect_uri_mismatch' : error;
      ctx.type = 'html';
      const sent: unknown = ctx.oidc.params?.['redirect_uri'];
      ctx.body = await deps.renderError({
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

  const provider: Provider = new Provider(origin, configuration);
  provider.Client.prototype.compareClientSecret = (actual) =>
    client.secrets.some((secret) => equal(secret, actual));
  registerGrantTypes({ provider, errors, grants, client });
  provider.use(tokenEndpoint({ ...deps, grants }, deps.rawBodyOf));
  provider.on('server_error', (_ctx, error) =>
    process.stderr.write(`sandbox: ${inspect(error)}\n`),
  );
  return { provider, grants, grant };
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** As text: Node 20 can freeze for ever when the garbage collector meets the generator of a key that is just exported. */
function newKey(): string {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey;
}

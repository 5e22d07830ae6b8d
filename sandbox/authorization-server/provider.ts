import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { inspect } from 'node:util';
import type { Provider } from 'oidc-provider';
import type { SandboxContext } from '../context.js';
import { configurationOf, type ConfigurationDeps } from './configuration.js';
import { createGrants, type Grants } from './grants.js';
import { registerGrantTypes } from './grant-types.js';
import { createMakeGrant, mustAsk, type MakeGrant } from './policy.js';
import { silenceProviderAdvice } from './quiet.js';
import { createStorage } from './storage.js';
import { tokenEndpoint } from './token-endpoint.js';

export interface AuthorizationServerDeps extends SandboxContext {
  /** The company that client_credentials acts for and that consent "auto" chooses. */
  companyId: string;
  rawBodyOf: (req: IncomingMessage) => string;
  renderError: ConfigurationDeps['renderError'];
}

export interface AuthorizationServer {
  provider: Provider;
  grants: Grants;
  grant: MakeGrant;
}

/** oidc-provider with what only GetBill has: its consent page, its rules for grants and secrets. */
export async function createAuthorizationServer(
  deps: AuthorizationServerDeps,
): Promise<AuthorizationServer> {
  silenceProviderAdvice();
  const { Provider, errors, interactionPolicy } = await import('oidc-provider');
  const { origin, clock, faults, counters, client, companyId, renderError } = deps;
  const doubleUse = () => new errors.InvalidGrant('authorization code already consumed');
  const storage = createStorage({ clock, doubleUse });
  const grants = createGrants({
    storage,
    clock,
    faults: faults.current,
    counters,
    ownCompanyId: companyId,
  });
  const { Prompt, Check } = interactionPolicy;
  const ask = new Check(
    'ask',
    'the company and the scopes are chosen each time',
    mustAsk({ faults, client, errors, grants, companyId }),
  );
  const consent = new Prompt({ name: 'consent', requestable: true }, ask);
  const configuration = configurationOf({ storage, client, faults, consent, renderError });

  const provider = new Provider(origin, configuration);
  provider.Client.prototype.compareClientSecret = (actual) =>
    client.secrets.some((secret) => equal(secret, actual));
  registerGrantTypes({ provider, errors, grants, client });
  provider.use(tokenEndpoint({ ...deps, grants }, deps.rawBodyOf));
  provider.on('server_error', (_ctx, error) =>
    process.stderr.write(`sandbox: ${inspect(error)}\n`),
  );
  return { provider, grants, grant: createMakeGrant({ provider, grants }) };
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

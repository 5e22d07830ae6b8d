import type { GetbillConfig } from '../../config/config.js';
import { GrantRefusedError, MisconfiguredError } from '../../errors.js';
import { validateAuthorizationResponse } from '../../core/oauth/authorization.js';
import { explanationOf } from '../../oauth-explanations.js';
import { knowsClient } from './authorization.js';
import { fail, pass, warn, type Check, type CheckContext, type Result } from './check.js';
import { explainConnection } from './explain-connection.js';

const MINIMAL_SCOPE = 'company:read';
const DASHBOARD = 'the GetBill dashboard (Company > API Client Management)';

export const credentialChecks: readonly Check[] = [
  { name: 'client credentials', needs: 'token endpoint', examine: examineSecret },
  { name: 'scopes', needs: 'client credentials', examine: examineScopes },
  { name: 'code exchange', needs: 'client credentials', examine: examineCodeExchange },
  {
    name: 'revocation',
    needs: 'client credentials',
    setting: 'revokeUrl',
    examine: examineRevocation,
  },
];

async function examineSecret(context: CheckContext): Promise<Result> {
  const { config, tokenEndpoint, secretFallbacks } = context;
  const { scopes } = config.getbill;
  const scope = scopes.includes(MINIMAL_SCOPE) ? MINIMAL_SCOPE : (scopes[0] ?? MINIMAL_SCOPE);
  try {
    const { access_token: token } = await tokenEndpoint.clientCredentials([scope]);
    await tokenEndpoint.revoke(token, 'access_token').catch(() => undefined); // it expires by itself
  } catch (error) {
    return explainRefusal(error, context);
  }
  if (secretFallbacks() === 0) return pass(`accepted, for ${scope}`);
  return warn(
    'the first secret in GETBILL_CLIENT_SECRET is not accepted, a later one is',
    'while rotating, new,old is right; when done, leave only the accepted one in GETBILL_CLIENT_SECRET',
  );
}

async function examineScopes(context: CheckContext): Promise<Result> {
  const { scopes } = context.config.getbill;
  const outcome = await context.authorization();
  const isRefusedToUsers = outcome.kind === 'responded' && outcome.error === 'invalid_scope';
  const isAllowed = await mayHave(scopes, context);
  if (isAllowed === undefined && !isRefusedToUsers) {
    return warn(
      `without client credentials it cannot be seen from here whether this client may have ${scopes.join(' ')}`,
      `compare GETBILL_SCOPES with what is ticked for this client in ${DASHBOARD}`,
    );
  }
  if (isAllowed === true && !isRefusedToUsers) return pass(`may have ${scopes.join(' ')}`);

  const refused: string[] = [];
  for (const scope of scopes) {
    if ((await mayHave([scope], context)) === false) refused.push(scope);
  }
  const granted = scopes.filter((scope) => !refused.includes(scope));
  const named = refused.length === 0 ? `one of ${scopes.join(' ')}` : refused.join(' ');
  return fail(
    `invalid_scope: GETBILL_SCOPES asks for ${named}, which this client may not have`,
    `tick it for this client in ${DASHBOARD}, or ask for fewer: GETBILL_SCOPES="${granted.join(' ')}"`,
  );
}

async function examineCodeExchange(context: CheckContext): Promise<Result> {
  const error = await refusalOfMadeUpCode(context);
  if (error === undefined) {
    return fail(
      'the token endpoint gave a token for a made-up code',
      'this is not GetBill: check GETBILL_TOKEN_URL',
    );
  }
  if (error instanceof GrantRefusedError || codeOfRefusal(error) === 'invalid_request')
    return pass('a made-up code is refused, as it must be');
  return explainAnyRefusal(error, context.config.getbill);
}

async function examineRevocation({ config, tokenEndpoint }: CheckContext) {
  const { revokeUrl: url, timeoutMs } = config.getbill;
  if (url === undefined) return undefined;
  try {
    await tokenEndpoint.revoke('made-up-by-the-doctor', 'refresh_token');
    return pass(url.href); // RFC 7009 section 2.2: also for a token that is none
  } catch (error) {
    if (!(error instanceof MisconfiguredError))
      return explainConnection(error, { url, variable: 'GETBILL_REVOKE_URL', timeoutMs });
    return fail(
      `GETBILL_REVOKE_URL does not revoke: ${error.message}`,
      'correct GETBILL_REVOKE_URL, or unset it: GetBill documents none, and then signing out revokes nothing',
    );
  }
}

/** `undefined`: this client may not ask by itself. @throws {UnavailableError} */
async function mayHave(
  scopes: readonly string[],
  { tokenEndpoint }: CheckContext,
): Promise<boolean | undefined> {
  try {
    const { scopes: named = [], access_token: token } =
      await tokenEndpoint.clientCredentials(scopes);
    await tokenEndpoint.revoke(token, 'access_token').catch(() => undefined);
    const granted = named.length > 0 ? named : scopes;
    return scopes.every((one) => granted.includes(one));
  } catch (error) {
    if (codeOfRefusal(error) === 'invalid_scope') return false;
    if (NOT_FOR_APPS.has(codeOfRefusal(error) ?? '')) return undefined;
    throw error;
  }
}

/** `undefined`: the code was taken. */
async function refusalOfMadeUpCode({ config, tokenEndpoint }: CheckContext): Promise<unknown> {
  const { getbill: provider } = config;
  const response = new URLSearchParams({
    code: 'made-up-by-the-doctor',
    state: 'doctor',
    ...(provider.issuer !== undefined && { iss: provider.issuer }),
  });
  const code = validateAuthorizationResponse(response, { provider, expectedState: 'doctor' });
  return tokenEndpoint.exchangeCode(code, 'a'.repeat(43)).then(
    () => undefined,
    (error: unknown) => error,
  );
}

const codeOfRefusal = (error: unknown): string | undefined =>
  error instanceof MisconfiguredError ? error.code : undefined;

/** The client was recognised by then; it only may not use this grant. */
const NOT_FOR_APPS = new Set(['unauthorized_client', 'unsupported_grant_type']);

async function explainRefusal(error: unknown, context: CheckContext): Promise<Result> {
  const code = codeOfRefusal(error);
  if (code === 'invalid_scope') return pass('accepted'); // the client comes first, the scope after it; next line
  if (code === 'invalid_client') return explainInvalidClient(context);
  if (code !== undefined && NOT_FOR_APPS.has(code)) return explainNotForApps(code, context);
  return explainAnyRefusal(error, context.config.getbill);
}

async function explainNotForApps(code: string, context: CheckContext): Promise<Result> {
  // Keycloak says unauthorized_client of a wrong secret, too.
  if (codeOfRefusal(await refusalOfMadeUpCode(context)) === 'unauthorized_client') {
    return fail(
      'unauthorized_client for client credentials and for a code: GETBILL_CLIENT_SECRET is wrong, or this client may use neither',
      `copy the secret of this client from ${DASHBOARD}; if it is right, allow the authorization code grant there`,
    );
  }
  return warn(
    `${code}: this client may not use client credentials, so its secret cannot be tried without somebody signing in`,
    `sign-in does not need it; for background jobs allow the grant in ${DASHBOARD}`,
  );
}

async function explainInvalidClient({ config, authorization }: CheckContext): Promise<Result> {
  const outcome = await authorization();
  if (knowsClient(outcome)) {
    const { length } = config.getbill.clientSecrets;
    const none = length === 1 ? '' : `: none of its ${length} entries is accepted`;
    const comma =
      length === 1 ? '' : '; a comma ends an entry, one that is part of the secret is written \\,';
    return fail(
      `invalid_client: GetBill knows GETBILL_CLIENT_ID, so GETBILL_CLIENT_SECRET is wrong${none}`,
      `copy the secret of this client from ${DASHBOARD}; make a new one if it was not kept${comma}`,
    );
  }
  const isUnknown = outcome.kind === 'refused' && outcome.code === 'invalid_client';
  return fail(
    isUnknown
      ? 'invalid_client: GetBill has no active client with this GETBILL_CLIENT_ID: it is inactive, mistyped, or of another environment (test, production)'
      : 'invalid_client: GETBILL_CLIENT_ID or GETBILL_CLIENT_SECRET is wrong, or the client is inactive',
    `in ${DASHBOARD} activate the client, then compare its id and secret with GETBILL_CLIENT_ID and GETBILL_CLIENT_SECRET`,
  );
}

function explainAnyRefusal(error: unknown, { tokenUrl: url, timeoutMs }: GetbillConfig): Result {
  if (error instanceof GrantRefusedError) {
    return fail(
      'invalid_grant: GetBill refuses a client that sent nothing but its own id and secret: its access was ended',
      `renew the access of this client in ${DASHBOARD}, or make a new client`,
    );
  }
  if (error instanceof MisconfiguredError) {
    const { cause = error.message, fix = 'see docs/doctor.md' } = explanationOf(error.code) ?? {};
    const said = error.serverSaid === undefined ? '' : ` (GetBill said: ${error.serverSaid})`;
    return fail(`${error.code}: ${cause}${said}`, fix);
  }
  return explainConnection(error, { url, variable: 'GETBILL_TOKEN_URL', timeoutMs });
}

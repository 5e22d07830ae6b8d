import { GrantRefusedError, MisconfiguredError } from '../../errors.js';
import {
  DASHBOARD,
  fail,
  pass,
  warn,
  type Check,
  type CheckContext,
  type Result,
} from './check.js';
import { explainConnection } from './explain-connection.js';
import {
  codeOfRefusal,
  explainRefusal,
  explainRefusedCredentials,
  NOT_FOR_APPS,
  refusalOfMadeUpCode,
} from './explain-refusal.js';

const MINIMAL_SCOPE = 'company:read';

export const credentialChecks: readonly Check[] = [
  { name: 'client credentials', needs: 'token endpoint', examine: examineSecret },
  { name: 'scopes', needs: 'client credentials', examine: examineScopes },
  { name: 'code exchange', needs: 'client credentials', examine: examineCodeExchange },
  { name: 'revocation', needs: 'client credentials', setting: 'revokeUrl', examine: examineRevoke },
];

async function examineSecret(context: CheckContext): Promise<Result> {
  const { config, tokenEndpoint, secretFallbacks } = context;
  const { scopes } = config.getbill;
  const scope = scopes.includes(MINIMAL_SCOPE) ? MINIMAL_SCOPE : (scopes[0] ?? MINIMAL_SCOPE);
  try {
    const { access_token: token } = await tokenEndpoint.clientCredentials([scope]);
    // it expires by itself
    await tokenEndpoint.revoke(token, 'access_token').catch(() => undefined);
  } catch (error) {
    return explainRefusedCredentials(error, context);
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
  if (isRefusedToUsers || isAllowed === false) return await failForScopes(context);
  if (isAllowed) return pass(`may have ${scopes.join(' ')}`);
  return warn(
    `without client credentials it cannot be seen from here whether this client may have ${scopes.join(' ')}`,
    `compare GETBILL_SCOPES with what is ticked for this client in ${DASHBOARD}`,
  );
}

async function failForScopes(context: CheckContext): Promise<Result> {
  const { scopes } = context.config.getbill;
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
  return explainRefusal(error, context.config.getbill);
}

async function examineRevoke({ config, tokenEndpoint }: CheckContext) {
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

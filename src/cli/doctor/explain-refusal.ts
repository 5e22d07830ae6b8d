import type { GetbillConfig } from '../../config/config.js';
import { validateAuthorizationResponse } from '../../core/oauth/authorization.js';
import { GrantRefusedError, MisconfiguredError } from '../../errors.js';
import { explanationOf } from '../../oauth-explanations.js';
import { knowsClient } from './try-authorization.js';
import { DASHBOARD, fail, pass, warn, type CheckContext, type Result } from './check.js';
import { explainConnection } from './explain-connection.js';

/** `undefined`: the code was taken. */
export async function refusalOfMadeUpCode({
  config,
  tokenEndpoint,
}: CheckContext): Promise<unknown> {
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

export const codeOfRefusal = (error: unknown): string | undefined =>
  error instanceof MisconfiguredError ? error.code : undefined;

/** The client was recognised by then; it only may not use this grant. */
export const NOT_FOR_APPS = new Set(['unauthorized_client', 'unsupported_grant_type']);

export async function explainRefusedCredentials(
  error: unknown,
  context: CheckContext,
): Promise<Result> {
  const code = codeOfRefusal(error);
  // a server looks at the client first; the check "scopes" is about the scope
  if (code === 'invalid_scope') return pass('accepted');
  if (code === 'invalid_client') return explainInvalidClient(context);
  if (code !== undefined && NOT_FOR_APPS.has(code)) return explainNotForApps(code, context);
  return explainRefusal(error, context.config.getbill);
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

export function explainRefusal(
  error: unknown,
  { tokenUrl: url, timeoutMs }: GetbillConfig,
): Result {
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

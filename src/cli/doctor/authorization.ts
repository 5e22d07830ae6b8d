import { explanationOf } from '../../oauth-explanations.js';
import { fail, pass, warn, type AuthorizationOutcome, type Check, type Result } from './check.js';
import { explainConnection } from './explain-connection.js';
import { tryRedirectUri, type Asker } from './try-authorization.js';

export const authorizationCheck: Check = {
  name: 'redirect URI',
  needs: 'GetBill pins',
  async examine({ config: { getbill: config, publicUrl }, ask, authorization }) {
    return await examineAuthorization(await authorization(), { config, ask }, publicUrl);
  },
};

export async function examineAuthorization(
  outcome: AuthorizationOutcome,
  asker: Asker,
  publicUrl: URL,
): Promise<Result> {
  const { config } = asker;
  const { redirectUri } = config;
  switch (outcome.kind) {
    case 'responded':
      if (outcome.error === undefined || outcome.error === 'invalid_scope')
        return pass(`${redirectUri} is registered`);
      return fail(
        `GetBill refuses the authorization request: ${outcome.error.slice(0, 64)}`,
        (explanationOf(outcome.error) ?? explanationOf('unauthorized_client'))?.fix ?? '',
      );
    case 'sent_on':
      if (outcome.proven) return pass(`${redirectUri} is registered`);
      return warn(
        'GetBill asks for a sign-in before it looks at the redirect URI, so it cannot be seen from here',
        `sign in once at ${publicUrl.origin}/login; on redirect_uri_mismatch register ${redirectUri} in the GetBill dashboard`,
      );
    case 'none': {
      const place = {
        url: config.authorizeUrl,
        variable: 'GETBILL_AUTHORIZE_URL',
        timeoutMs: config.timeoutMs,
      };
      if (outcome.error !== undefined) return explainConnection(outcome.error, place);
      return fail(
        'GetBill is overloaded or has an error of its own',
        'wait a moment and run this again',
      );
    }
    case 'refused':
      return explainErrorPage(outcome, asker);
  }
}

async function explainErrorPage(
  { status, code }: Extract<AuthorizationOutcome, { kind: 'refused' }>,
  asker: Asker,
): Promise<Result> {
  const { redirectUri, authorizeUrl } = asker.config;
  if (code === undefined) {
    return fail(
      `${authorizeUrl.href} answered ${status}: not an authorization endpoint`,
      `correct GETBILL_AUTHORIZE_URL; GetBill documents ${authorizeUrl.origin}/oauth/authorize`,
    );
  }
  if (code === 'invalid_scope')
    return fail(
      'invalid_scope: GetBill shows this before the sign-in page',
      'ask for fewer scopes in GETBILL_SCOPES',
    );
  const registered = await findRegisteredVariant(asker);
  if (registered !== undefined) {
    const { origin } = new URL(registered);
    return fail(
      `redirect_uri_mismatch: not ${redirectUri} is registered at GetBill, but ${registered}`,
      `register ${redirectUri} in the GetBill dashboard too, or set PUBLIC_URL=${origin} (and GETBILL_REDIRECT_URI, where it is set, to ${registered})`,
    );
  }
  if (code === 'invalid_client' || code === 'unauthorized_client') {
    return fail(
      `${code}: GetBill has no active client with this id that may use ${redirectUri}`,
      `in the GetBill dashboard check that the client is active, that its id is GETBILL_CLIENT_ID, and that ${redirectUri} is registered`,
    );
  }
  return fail(
    `redirect_uri_mismatch: ${redirectUri} is not registered at GetBill (it answered ${code})`,
    `register exactly ${redirectUri} in the GetBill dashboard (Company > API Client Management): scheme, host, port and path count`,
  );
}

/** A redirect URI that differs in the usual ways and is accepted: the one somebody meant. */
async function findRegisteredVariant(asker: Asker): Promise<string | undefined> {
  const { redirectUri } = asker.config;
  const relatives = [
    redirectUri.replace('//127.0.0.1', '//localhost'),
    redirectUri.replace('//localhost', '//127.0.0.1'),
    redirectUri.replace(/^http:/, 'https:'),
    redirectUri.replace(/^https:/, 'http:'),
    `${redirectUri}/`,
  ].filter((uri, index, all) => uri !== redirectUri && all.indexOf(uri) === index);
  for (const uri of relatives) {
    const { kind } = await tryRedirectUri(uri, asker);
    if (kind === 'sent_on' || kind === 'responded') return uri;
  }
  return undefined;
}

import { jsonObject } from '../../core/json.js';
import { errorIn, isTokenError } from '../../core/oauth/token-response.js';
import { redirectOf, type HttpResponse } from './ask.js';
import { fail, pass, warn, type Check, type CheckContext, type Result } from './check.js';
import { explainConnection } from './explain-connection.js';

type Asker = Pick<CheckContext, 'config' | 'ask'>;

/** GetBill's own pages name both. */
const PATHS = ['/oauth/token', '/token'];

/** A token request without a client: a token endpoint answers an OAuth error (RFC 6749, 5.2). */
export const askTokenUrl = (
  { config, ask }: Asker,
  url = config.getbill.tokenUrl,
): Promise<HttpResponse> =>
  ask(url, {
    headers: { accept: 'application/json' },
    form: { grant_type: 'client_credentials' },
  });

export const tokenUrlChecks: readonly Check[] = [
  {
    name: 'token endpoint',
    needs: 'GetBill pins',
    async examine(context) {
      const { tokenUrl, timeoutMs } = context.config.getbill;
      try {
        return await judge(await context.tokenResponse(), context);
      } catch (error) {
        return explainConnection(error, {
          url: tokenUrl,
          variable: 'GETBILL_TOKEN_URL',
          timeoutMs,
        });
      }
    },
  },
  {
    name: 'one GetBill',
    needs: 'token endpoint',
    async examine(context) {
      const { authorizeUrl, tokenUrl } = context.config.getbill;
      if (authorizeUrl.origin === tokenUrl.origin)
        return pass(`sign-in and tokens at ${tokenUrl.host}`);
      const cause = `sign-in is at ${authorizeUrl.host}, tokens are at ${tokenUrl.host}: when they are two servers, a code of the one is invalid_grant at the other`;
      const sibling = await firstTokenUrl([authorizeUrl.origin], context);
      if (sibling === undefined)
        return warn(
          cause,
          'right only when both names are one GetBill; else set GETBILL_BASE_URL alone',
        );
      return fail(
        cause,
        `set GETBILL_TOKEN_URL=${sibling.href}, which answers too, or set GETBILL_BASE_URL alone`,
      );
    },
  },
];

async function judge(response: HttpResponse, context: CheckContext): Promise<Result> {
  const { tokenUrl } = context.config.getbill;
  const { status } = response;
  if (isOAuth(response)) return pass(tokenUrl.href);
  if (await answersClient(context, tokenUrl))
    return pass(`${tokenUrl.href}, which answers only clients`);
  if (status === 408 || status === 429 || status >= 500) {
    return fail(
      `${tokenUrl.href} answered ${status}: overloaded, or an error of its own`,
      'wait a moment and run this again',
    );
  }
  const cause = `${tokenUrl.href} answered ${status} without an OAuth error: not a token endpoint, or a firewall in its place`;
  const target = redirectOf(response, tokenUrl);
  if (target !== undefined)
    return fail(
      `${cause}; it redirects, and a secret follows no redirect`,
      `set GETBILL_TOKEN_URL=${target.origin}${target.pathname} if that is GetBill`,
    );
  const found = await firstTokenUrl(
    [tokenUrl.origin, context.config.getbill.authorizeUrl.origin],
    context,
  );
  return fail(
    cause,
    found === undefined
      ? `set GETBILL_TOKEN_URL to what GetBill documents: ${PATHS.join(' or ')} on its host`
      : `set GETBILL_TOKEN_URL=${found.href}, which answers as one`,
  );
}

/** Some servers refuse a request without a client before they look at it, so this one names it. */
async function answersClient({ config: { getbill }, ask }: Asker, url: URL): Promise<boolean> {
  const [secret] = getbill.clientSecrets;
  const form = {
    grant_type: 'client_credentials',
    client_id: getbill.clientId,
    client_secret: secret?.reveal() ?? '',
    scope: getbill.scopes[0] ?? '',
  };
  const headers = { accept: 'application/json' };
  const response = await ask(url, { headers, form }).catch(() => undefined);
  if (response === undefined) return false;
  return isOAuth(response) || typeof jsonObject(response.text)?.['access_token'] === 'string';
}

/** The first usual address that answers as a token endpoint. The secret goes to no other host. */
async function firstTokenUrl(origins: readonly string[], asker: Asker): Promise<URL | undefined> {
  const { origin } = asker.config.getbill.tokenUrl;
  const hrefs = new Set(origins.flatMap((one) => PATHS.map((path) => one + path)));
  for (const url of Array.from(hrefs, (href) => new URL(href))) {
    const response = await askTokenUrl(asker, url).catch(() => undefined);
    if (response !== undefined && isOAuth(response)) return url;
    if (response !== undefined && response.status !== 404 && url.origin === origin) {
      if (await answersClient(asker, url)) return url;
    }
  }
  return undefined;
}

/** Only the codes of OAuth count: many a framework's 404 has an "error", too. */
const isOAuth = ({ text, status }: HttpResponse): boolean =>
  status < 500 && isTokenError(errorIn(jsonObject(text)).error);

import { jsonObject } from '../../core/json.js';
import { ask, redirectOf, type Answer } from './answer.js';
import { fail, pass, warn, type Check, type Patient, type Result } from './check.js';
import { explainConnection } from './explain.js';

type Asker = Pick<Patient, 'config' | 'upstream' | 'now'>;

/** GetBill's own pages name both. */
const PATHS = ['/oauth/token', '/token'];

/** A token request without a client: any token endpoint answers with an OAuth error (RFC 6749 section 5.2). */
export const askTokenUrl = ({ config, upstream, now }: Asker, url = config.getbill.tokenUrl): Promise<Answer> =>
  ask(upstream, url, {
    timeoutMs: config.getbill.timeoutMs,
    now,
    headers: { accept: 'application/json' },
    form: { grant_type: 'client_credentials' },
  });

export const tokenUrlChecks: readonly Check[] = [
  {
    name: 'token endpoint',
    needs: 'GetBill pins',
    async examine(patient) {
      const { tokenUrl, timeoutMs } = patient.config.getbill;
      try {
        return await judge(await patient.tokenAnswer(), patient);
      } catch (error) {
        return explainConnection(error, { url: tokenUrl, variable: 'GETBILL_TOKEN_URL', timeoutMs });
      }
    },
  },
  {
    name: 'one GetBill',
    needs: 'token endpoint',
    async examine(patient) {
      const { authorizeUrl, tokenUrl } = patient.config.getbill;
      if (authorizeUrl.origin === tokenUrl.origin) return pass(`sign-in and tokens at ${tokenUrl.host}`);
      const cause = `sign-in is at ${authorizeUrl.host}, tokens are at ${tokenUrl.host}: when they are two servers, a code of the one is invalid_grant at the other`;
      const sibling = await firstTokenUrl([authorizeUrl.origin], patient);
      if (sibling === undefined) return warn(cause, 'right only when both names are one GetBill; else set GETBILL_BASE_URL alone'); // prettier-ignore
      return fail(cause, `set GETBILL_TOKEN_URL=${sibling.href}, which answers too, or set GETBILL_BASE_URL alone`);
    },
  },
];

async function judge(answer: Answer, patient: Patient): Promise<Result> {
  const { tokenUrl } = patient.config.getbill;
  const { status } = answer;
  if (isOAuth(answer)) return pass(tokenUrl.href);
  if (status === 408 || status === 429 || status >= 500) {
    return fail(`${tokenUrl.href} answered ${status}: overloaded, or an error of its own`, 'wait a moment and run this again'); // prettier-ignore
  }
  const cause = `${tokenUrl.href} answered ${status} without an OAuth error: not a token endpoint, or a firewall in its place`;
  const target = redirectOf(answer, tokenUrl);
  if (target !== undefined) return fail(`${cause}; it redirects, and a secret follows no redirect`, `set GETBILL_TOKEN_URL=${target.origin}${target.pathname} if that is GetBill`); // prettier-ignore
  const found = await firstTokenUrl([tokenUrl.origin, patient.config.getbill.authorizeUrl.origin], patient);
  return fail(cause, found === undefined ? `set GETBILL_TOKEN_URL to what GetBill documents: ${PATHS.join(' or ')} on its host` : `set GETBILL_TOKEN_URL=${found.href}, which answers as one`); // prettier-ignore
}

/** The first usual address that answers as a token endpoint. */
async function firstTokenUrl(origins: readonly string[], asker: Asker): Promise<URL | undefined> {
  const urls = [...new Set(origins.flatMap((origin) => PATHS.map((path) => origin + path)))].map((href) => new URL(href)); // prettier-ignore
  for (const url of urls) {
    const answer = await askTokenUrl(asker, url).catch(() => undefined);
    if (answer !== undefined && isOAuth(answer)) return url;
  }
  return undefined;
}

/** The API's errors have `error: true`; OAuth's have a code. */
const isOAuth = ({ text, status }: Answer): boolean => status < 500 && typeof jsonObject(text)?.['error'] === 'string';

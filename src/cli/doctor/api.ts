import { jsonObject } from '../../core/json.js';
import type { GetbillConfig } from '../../config/config.js';
import { endpoints, type Endpoint } from '../../getbill/endpoints.js';
import type { exitCodes } from '../exit-codes.js';
import type { Ask, HttpResponse } from './ask.js';
import { fail, pass, warn, type Check, type CheckContext, type Result } from './check.js';
import { explainConnection } from './explain-connection.js';

/** One read with a token of the client. Without one it only shows whether an API is there. */
export const apiCheck: Check = {
  name: 'GetBill API',
  needs: 'GetBill pins',
  async examine(context) {
    const { getbill } = context.config;
    const { scopes } = getbill;
    const token = await tokenFor(readableWith(scopes).scope, context);
    return (await examineApi(token, { getbill, scopes, ask: context.ask })).result;
  },
};

/** The first list or object that these scopes may read. */
const readableWith = (scopes: readonly string[]): Pick<Endpoint, 'path' | 'scope'> =>
  endpoints.find(
    ({ method, path, scope }) => method === 'GET' && !path.includes('{') && scopes.includes(scope),
  ) ?? { path: '/company/profile', scope: 'company:read' };

/** `exit`: the exit code of a command whose aim is this call. */
interface Examined {
  readonly result: Result;
  readonly exit: keyof typeof exitCodes;
}

export async function examineApi(
  token: string | undefined,
  { getbill, scopes, ask }: { getbill: GetbillConfig; scopes: readonly string[]; ask: Ask },
): Promise<Examined> {
  const { apiUrl, timeoutMs } = getbill;
  const url = new URL(`${apiUrl.href.replace(/\/$/, '')}${readableWith(scopes).path}`);
  try {
    const headers = {
      accept: 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    const response = await ask(url, { headers });
    const result = judge(response, { url, hasToken: token !== undefined });
    return { result, exit: exitFor(response.status, result) };
  } catch (error) {
    const result = explainConnection(error, { url, variable: 'GETBILL_API_URL', timeoutMs });
    return { result, exit: 'unavailable' };
  }
}

async function tokenFor(
  scope: string,
  { tokenEndpoint }: CheckContext,
): Promise<string | undefined> {
  try {
    return (await tokenEndpoint.clientCredentials([scope])).access_token;
  } catch {
    return undefined; // the check "client credentials" says why
  }
}

function judge(
  { status, text }: HttpResponse,
  { url, hasToken }: { url: URL; hasToken: boolean },
): Result {
  const asked = `GET ${url.href}`;
  const isJson = jsonObject(text) !== undefined || text.trimStart().startsWith('[');
  if (status === 429)
    return warn(`${asked} answered 429: the limit is used up`, 'wait for it, and run this again');
  if (isServerSide(status)) {
    return fail(
      `${asked} answered ${status}: overloaded, or an error of its own`,
      'wait a moment and run this again',
    );
  }
  if (hasToken && status === 200 && isJson) return pass(`${asked} answers`);
  if (hasToken && status === 401) {
    return fail(
      `${asked} answered 401 to a token that the token endpoint has just issued: they belong to two GetBills`,
      'let GETBILL_API_URL and GETBILL_TOKEN_URL name the same GetBill, or set GETBILL_BASE_URL alone',
    );
  }
  if (hasToken && status === 403) {
    return warn(
      `${asked} answered 403: this client may not read it, or a firewall stands in the way`,
      'tick the scope at the sign-in, and for this client in the GetBill dashboard (Company > API Client Management)',
    );
  }
  if (!hasToken && (status === 401 || status === 403))
    return pass(`${asked} wants a token; more cannot be seen from here`);
  return fail(
    `${asked} answered ${status}${isJson ? '' : ' without JSON'}: the API is not there`,
    `correct GETBILL_API_URL; GetBill documents ${url.origin}/external-api/v1`,
  );
}

function exitFor(status: number, { verdict }: Result): Examined['exit'] {
  if (verdict === 'pass') return 'done';
  if (status === 429) return 'limit';
  if (isServerSide(status)) return 'unavailable';
  return status === 403 ? 'refused' : 'configuration';
}

const isServerSide = (status: number): boolean => status === 408 || status >= 500;

import { jsonObject } from '../../core/json.js';
import { endpoints } from '../../getbill/endpoints.js';
import { ask, type HttpResponse } from './ask.js';
import { fail, pass, warn, type Check, type CheckContext, type Result } from './check.js';
import { explainConnection } from './explain.js';

/** One read with a token of the client; where none may be had, without a token, which shows whether an API is there. */
export const apiCheck: Check = {
  name: 'GetBill API',
  needs: 'GetBill pins',
  async examine(context) {
    const { getbill } = context.config;
    const readable = endpoints.find(
      ({ method, path, scope }) =>
        method === 'GET' && !path.includes('{') && getbill.scopes.includes(scope),
    );
    const { path, scope } = readable ?? { path: '/company/profile', scope: 'company:read' };
    const url = new URL(`${getbill.apiUrl.href.replace(/\/$/, '')}${path}`);
    const token = await tokenFor(scope, context);
    try {
      const headers = {
        accept: 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      };
      const response = await ask(context.upstream, url, {
        timeoutMs: getbill.timeoutMs,
        now: context.now,
        headers,
      });
      return judge(response, { url, hasToken: token !== undefined });
    } catch (error) {
      return explainConnection(error, {
        url,
        variable: 'GETBILL_API_URL',
        timeoutMs: getbill.timeoutMs,
      });
    }
  },
};

async function tokenFor(
  scope: string,
  { tokenEndpoint }: CheckContext,
): Promise<string | undefined> {
  try {
    return (await tokenEndpoint.clientCredentials([scope])).access_token;
  } catch {
    return undefined; // why, "client credentials" says
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
  if (status === 408 || status >= 500) {
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
      'tick the scope for this client in the GetBill dashboard (Company > API Client Management)',
    );
  }
  if (!hasToken && (status === 401 || status === 403)) {
    return pass(`${asked} wants a token; more cannot be seen from here`);
  }
  return fail(
    `${asked} answered ${status}${isJson ? '' : ' without JSON'}: the API is not there`,
    `correct GETBILL_API_URL; GetBill documents ${url.origin}/external-api/v1`,
  );
}

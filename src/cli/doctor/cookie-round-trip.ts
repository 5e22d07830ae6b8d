import type { Config } from '../../config/config.js';
import { jsonObject } from '../../core/json.js';
import { redirectOf, type HttpResponse } from './ask.js';
import { fail, pass, type Deployment, type Result } from './check.js';

/** Starts a sign-in as a browser would, and comes back from it with the cookie. */
export async function examineSignIn(deployment: Deployment, config: Config): Promise<Result> {
  const { url, visit } = deployment;
  const login = await visit('/login');
  const target = redirectOf(login, url);
  if (target?.pathname === '/login' && target.origin !== url.origin) {
    return fail(
      `/login leads to ${target.origin}, the PUBLIC_URL of the running app`,
      `set PUBLIC_URL=${url.origin} where the app runs, or pass that origin with --url`,
    );
  }
  if (target?.pathname === '/login') {
    return fail(
      '/login redirects to itself: the proxy changes Host',
      'let the proxy keep it (nginx: proxy_set_header Host $http_host), and set PUBLIC_URL to the origin browsers see',
    );
  }
  const state = target?.searchParams.get('state') ?? undefined;
  if (state === undefined) {
    return fail(
      `/login answered ${login.status} and does not lead to GetBill`,
      'look at the log of the app for it',
    );
  }
  const cookies = [login.headers['set-cookie'] ?? []].flat();
  const cookie = cookies.find((line) => /^(__Host-)?gb-login(-\d+)?=/.test(line));
  if (cookie === undefined || (url.protocol === 'https:' && !isHostCookie(cookie))) {
    return fail(
      `the cookie of /login ${cookie === undefined ? 'does not arrive' : 'arrives changed, or PUBLIC_URL is not https'}`,
      'let the proxy pass Set-Cookie as it is and cache nothing; set PUBLIC_URL to the https origin',
    );
  }
  const { issuer } = config.getbill;
  return judgeReturn(await comeBack({ state, cookie, issuer }, deployment));
}

/** RFC 6265bis section 4.1.3.2: a browser takes a `__Host-` cookie only so. */
const isHostCookie = (line: string): boolean =>
  line.startsWith('__Host-') &&
  /; Secure/i.test(line) &&
  /; Path=\/(;|$)/i.test(line) &&
  !/; Domain=/i.test(line);

/** Sends the callback of a person who declines: it uses the sign-in up and signs nobody in. */
function comeBack(
  { state, cookie, issuer }: { state: string; cookie: string; issuer: string | undefined },
  { visit }: Deployment,
): Promise<HttpResponse> {
  const query = new URLSearchParams({
    error: 'access_denied',
    state,
    ...(issuer !== undefined && { iss: issuer }),
  });
  const headers = { cookie: cookie.split(';')[0] ?? '' };
  return visit(`/oauth/callback?${query.toString()}`, { headers });
}

function judgeReturn(response: HttpResponse): Result {
  const code = errorOf(response);
  if (code === 'authorization_access_denied')
    return pass('our cookie comes back, and its sign-in is found');
  if (code === 'login_cookie_missing') {
    return fail('our cookie does not come back to the app', 'let the proxy pass the Cookie header');
  }
  return fail(
    `the sign-in that /login started is not found (${code ?? response.status})`,
    'let all processes use one Redis (REDIS_URL), one SESSION_SECRET and one TOKEN_ENCRYPTION_KEY',
  );
}

/** The app's own code for what went wrong. */
export function errorOf({ text }: HttpResponse): string | undefined {
  const code = jsonObject(text)?.['error'];
  return typeof code === 'string' ? code : undefined;
}

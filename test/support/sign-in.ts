import { createHash, createHmac } from 'node:crypto';
import type { Sandbox } from '../../sandbox/sandbox.js';
import type { TokenFault } from '../../sandbox/faults.js';
import { createCookies } from '../../src/web/session/cookies.js';
import type { Answer, Browser } from './browser.js';
import type { TestApp } from './test-app.js';

/** What the app calls its cookies, by the origin that browsers see. */
export const cookieNames = ({ publicUrl }: Pick<TestApp, 'publicUrl'>) =>
  createCookies({ publicUrl: new URL(publicUrl) });

/** The id inside the signed session cookie; empty without one. */
export function sessionIdOf(browser: Browser): string {
  for (const [name, value] of browser.cookies) {
    if (/gb-session(-\d+)?$/.test(name))
      return /^s:(.+)\./.exec(decodeURIComponent(value))?.[1] ?? '';
  }
  return '';
}

/** A session cookie's value as express-session signs it. */
export const signed = (id: string, secret: string): string =>
  encodeURIComponent(
    `s:${id}.${createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '')}`,
  );

/** RFC 7636 section 4.2. */
export const challengeOf = (codeVerifier: string): string =>
  createHash('sha256').update(codeVerifier).digest('base64url');

export const paramOf = (url: string, name: string): string =>
  new URL(url, 'http://any').searchParams.get(name) ?? '';

/** How often a code was sent to the token endpoint. */
export const codeCalls = ({ control }: Sandbox): number =>
  control.state().counters.tokenByGrant.authorization_code;

/** Whatever came to the token endpoint, as it came. */
export function tokenRequests({ control }: Sandbox) {
  return control
    .requests()
    .filter(({ url }) => url.startsWith('/oauth/token'))
    .map((request) => ({ ...request, form: new URLSearchParams(request.body) }));
}

/** The token endpoint says yes to any code, so that nobody has to approve. */
export const anyCode: TokenFault = {
  mode: 'rawBody',
  status: 200,
  contentType: 'application/json',
  body: JSON.stringify({
    access_token: 'access',
    refresh_token: 'refresh',
    token_type: 'Bearer',
    expires_in: 3600,
  }),
  times: 0,
};

/** The way back from GetBill for a login that was started, with a code made up. */
export const callbackFor = (authorizeUrl: string, code = 'made-up'): string =>
  `/oauth/callback?${new URLSearchParams({ code, state: paramOf(authorizeUrl, 'state') }).toString()}`;

/** Is anybody signed in here? The landing page touches neither tokens nor API. */
export async function isSignedIn(browser: Browser): Promise<boolean> {
  return (await browser.get('/')).text.includes('action="/logout"');
}

/**
 * Goes where a browser would go by itself, approving at GetBill, until a page comes.
 * @throws {Error} after a dozen redirects: it is a loop.
 */
export async function walk(
  app: TestApp,
  path: string,
  get: (path: string) => Promise<Answer>,
): Promise<{ hops: string[]; answer: Answer }> {
  const hops: string[] = [];
  for (let next = path; hops.length < 12;) {
    hops.push(next.split('?')[0] ?? '');
    const answer = await get(next);
    if (answer.location === undefined) return { hops, answer };
    const target = new URL(answer.location, app.publicUrl);
    if (target.origin === app.sandbox.origin) {
      hops.push('GetBill');
      next = await app.browser().approve(target.href);
    } else {
      next = target.pathname + target.search;
    }
  }
  throw new Error(`a loop: ${hops.join(' -> ')}`);
}

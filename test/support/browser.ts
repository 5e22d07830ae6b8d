import { request as send } from 'undici';
import { approve, type ApproveRequest } from '../../sandbox/sign-in.js';

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  json: Record<string, unknown>;
  location: string | undefined;
  setCookies: string[];
}

export interface Browser {
  cookies: Map<string, string>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  send(
    method: string,
    path: string,
    options?: { headers?: Record<string, string>; body?: string | Buffer },
  ): Promise<Answer>;
  /** `/login` only: where it wants the browser to go. */
  startLogin(returnTo?: string): Promise<string>;
  /** Approves at the sandbox: the path of the callback with its query. */
  approve(authorizeUrl: string, choice?: Omit<ApproveRequest, 'authorizeUrl'>): Promise<string>;
  /** The whole way, up to and including the callback's answer. */
  signIn(options?: { returnTo?: string } & Omit<ApproveRequest, 'authorizeUrl'>): Promise<Answer>;
  /** The CSRF token of the sign-out form. */
  csrfToken(): Promise<string>;
  signOut(): Promise<Answer>;
}

/** A browser without scripts: keeps cookies, follows nothing by itself. Behind https it plays the TLS proxy as well. */
export function createBrowser({
  origin,
  publicUrl,
}: {
  origin: string;
  publicUrl: string;
}): Browser {
  const cookies = new Map<string, string>();
  const forwarded = publicUrl.startsWith('https:') ? { 'x-forwarded-proto': 'https' } : {};

  const browser: Browser = {
    cookies,
    get: (path, headers = {}) => browser.send('GET', path, { headers }),
    async send(method, path, { headers = {}, body } = {}) {
      const cookie = Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; ');
      const answer = await send(origin + path, {
        method: method,
        headers: {
          host: new URL(publicUrl).host,
          accept: 'text/html',
          ...forwarded,
          ...(cookie && { cookie }),
          ...headers,
        },
        body: body ?? null,
      });
      const text = await answer.body.text();
      const setCookies = [answer.headers['set-cookie'] ?? []].flat();
      for (const line of setCookies) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (value === '' || /Expires=Thu, 01 Jan 1970/i.test(line)) cookies.delete(name);
        else cookies.set(name, value);
      }
      const location = answer.headers['location'];
      return {
        status: answer.statusCode,
        headers: answer.headers,
        text,
        get json() {
          return JSON.parse(text) as Record<string, unknown>;
        },
        location: typeof location === 'string' ? location : undefined,
        setCookies,
      };
    },
    async startLogin(returnTo) {
      const path =
        returnTo === undefined ? '/login' : `/login?returnTo=${encodeURIComponent(returnTo)}`;
      const { location } = await browser.get(path);
      if (location === undefined) throw new Error('/login did not redirect');
      return location;
    },
    async approve(authorizeUrl, choice = {}) {
      const callback = new URL(await approve({ authorizeUrl, ...choice }));
      return callback.pathname + callback.search;
    },
    async signIn({ returnTo, ...choice } = {}) {
      return await browser.get(await browser.approve(await browser.startLogin(returnTo), choice));
    },
    async csrfToken() {
      const { text } = await browser.get('/');
      return /name="_csrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
    },
    async signOut() {
      const body = new URLSearchParams({ _csrf: await browser.csrfToken() }).toString();
      return await browser.send('POST', '/logout', {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body,
      });
    },
  };
  return browser;
}

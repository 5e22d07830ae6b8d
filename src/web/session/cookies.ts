import { parse as parseCookie } from 'cookie';
import type { CookieOptions, Request } from 'express';
import type { Config } from '../../config/config.js';

/**
 * Names and attributes of our cookies. With https they are `__Host-`: a sibling host can neither
 * set nor read them. Cookies belong to a host and not to its ports (RFC 6265, section 8.5), so the
 * names carry the port of PUBLIC_URL: two apps on one host do not mix their sessions.
 */
export function createCookies({ publicUrl }: Pick<Config, 'publicUrl'>) {
  const secure = publicUrl.protocol === 'https:';
  const name = (base: string): string => cookieName(base, publicUrl);
  return {
    session: name('gb-session'),
    /** Binds a pending login to the browser that started it. */
    login: name('gb-login'),
    /** Lets the landing page say once that somebody has signed out. */
    signedOut: name('gb-signed-out'),
    /** Lets the first page after a new sign-in say that GetBill ended the connection, and when. */
    ended: name('gb-ended'),
    /** Lax, because Strict is not sent on the way back from GetBill. */
    attributes: { secure, httpOnly: true, sameSite: 'lax', path: '/' } satisfies CookieOptions,
  };
}

/** For a cookie of another part of the app as well. */
export function cookieName(base: string, publicUrl: URL): string {
  const port = publicUrl.port === '' ? '' : `-${publicUrl.port}`;
  return `${publicUrl.protocol === 'https:' ? '__Host-' : ''}${base}${port}`;
}

export type Cookies = ReturnType<typeof createCookies>;

export const cookieOf = (req: Request, name: string): string | undefined => cookiesOf(req, name)[0];

/**
 * Every value that the browser sent under this name. A cookie of a longer path or another host
 * stands in front of ours, so whoever can tell ours looks for it. A program on the way may have put
 * quotes around it (RFC 6265, section 4.1.1).
 */
export function cookiesOf(req: Request, name: string): string[] {
  const pairs = (req.headers.cookie ?? '').split(';');
  return pairs.flatMap((pair) => parseCookie(pair)[name]?.replace(/^"(.*)"$/, '$1') ?? []);
}

const BINDING = /^[\w-]{43}$/;

/** The value that binds pending sign-ins to this browser. */
export const bindingOf = (req: Request, { login }: Pick<Cookies, 'login'>): string | undefined =>
  cookiesOf(req, login).find((value) => BINDING.test(value));

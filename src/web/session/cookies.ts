import { parse as parseCookie } from 'cookie';
import type { CookieOptions, Request } from 'express';
import type { Config } from '../../config/config.js';

/**
 * Names and attributes of our cookies. With https they are `__Host-`: a sibling host can neither
 * set nor read them. Cookies belong to a host and not to its ports (RFC 6265, section 8.5), so the
 * names carry the port of PUBLIC_URL: two apps on one host keep their people apart.
 */
export function createCookies({ publicUrl }: Pick<Config, 'publicUrl'>) {
  const secure = publicUrl.protocol === 'https:';
  const port = publicUrl.port === '' ? '' : `-${publicUrl.port}`;
  const name = (base: string): string => `${secure ? '__Host-' : ''}${base}${port}`;
  return {
    session: name('gb-session'),
    /** Binds a pending login to the browser that started it. */
    login: name('gb-login'),
    /** Marks a browser while the flow inspector is on. */
    flow: name('gb-flow'),
    /** Lets the landing page say once that somebody has signed out. */
    signedOut: name('gb-signed-out'),
    /** Lax, because Strict is not sent on the way back from GetBill. */
    attributes: { secure, httpOnly: true, sameSite: 'lax', path: '/' } satisfies CookieOptions,
  };
}

export type Cookies = ReturnType<typeof createCookies>;

export function cookieOf(req: Request, name: string): string | undefined {
  return parseCookie(req.headers.cookie ?? '')[name];
}

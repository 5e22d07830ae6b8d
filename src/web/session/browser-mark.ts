import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Request, Response } from 'express';
import { cookieName, cookiesOf, createCookies } from './cookies.js';

const KEPT_MS = 3_600_000;
const COOKIE = 'gb-flow';
const SHAPE = /^[\w-]{22}\.[\w-]{22}$/;

/**
 * The cookie that marks a browser while the flow inspector is on. Not the session's: a denied
 * consent has no session, and a sign-out ends it. Signed, so that nobody fills the storage with
 * stories of browsers that do not exist.
 */
export interface BrowserMark {
  /** The name of the cookie. */
  readonly cookie: string;
  /** The name of this browser's story; `undefined` without a mark. */
  read(req: Request): string | undefined;
  /** Sets a known mark again, too, so that it lasts an hour from its last use. */
  readOrSet(req: Request, res: Response): string;
}

export function createBrowserMark({
  publicUrl,
  secret,
}: {
  publicUrl: URL;
  secret: string;
}): BrowserMark {
  const { attributes } = createCookies({ publicUrl });
  const name = cookieName(COOKIE, publicUrl);
  const signatureOf = (id: string): string =>
    createHmac('sha256', secret).update(`flow ${id}`).digest('base64url').slice(0, 22);
  const isOurs = (value: string): boolean => {
    const [id = '', signature = ''] = value.split('.');
    return (
      SHAPE.test(value) && timingSafeEqual(Buffer.from(signatureOf(id)), Buffer.from(signature))
    );
  };
  const storyOf = (value: string): string => hash('sha256', value, 'base64url').slice(0, 22);

  const ownValue = (req: Request): string | undefined => cookiesOf(req, name).find(isOurs);

  function read(req: Request): string | undefined {
    const value = ownValue(req);
    return value === undefined ? undefined : storyOf(value);
  }

  function newValue(): string {
    const id = randomBytes(16).toString('base64url');
    return `${id}.${signatureOf(id)}`;
  }

  return {
    cookie: name,
    read,
    readOrSet(req, res) {
      const value = ownValue(req) ?? newValue();
      res.cookie(name, value, { ...attributes, maxAge: KEPT_MS });
      return storyOf(value);
    },
  };
}

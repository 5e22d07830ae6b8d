import type { RequestHandler } from 'express';
import type { Config } from '../../config/config.js';
import { AppError } from '../../errors.js';

/**
 * With an https PUBLIC_URL a request that did not arrive as secure would get no cookie, and sign-in
 * would loop. It is stopped here, before any redirect.
 */
export function requireHttps({ publicUrl }: Pick<Config, 'publicUrl'>): RequestHandler {
  return function requireHttpsMiddleware(req, _res, next) {
    const forwarded = req.headers['x-forwarded-proto'];
    // in upper or lower case: RFC 3986 section 3.1
    if (typeof forwarded === 'string') req.headers['x-forwarded-proto'] = forwarded.toLowerCase();
    if (publicUrl.protocol !== 'https:' || req.secure) return next();
    const proto =
      req.get('x-forwarded-proto') === undefined
        ? 'X-Forwarded-Proto is missing'
        : 'X-Forwarded-Proto is there';
    throw new AppError('the request did not arrive as https', {
      code: 'insecure_request',
      status: 500,
      hint: `PUBLIC_URL is https, this request was not (${proto}): the proxy must send "X-Forwarded-Proto: https", and TRUST_PROXY must name that proxy`,
    });
  };
}

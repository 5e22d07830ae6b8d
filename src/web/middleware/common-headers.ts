import type { Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';
import type { Config } from '../../config/config.js';

const PERMISSIONS_POLICY = [
  'camera',
  'geolocation',
  'microphone',
  'payment',
  'usb',
  'browsing-topics',
]
  .map((feature) => `${feature}=()`)
  .join(', ');

/**
 * Sets the headers of every response. The CSP forbids inline and third-party content. Everything is
 * `no-store`, and never 304, except `/assets`.
 */
export function commonHeaders({
  publicUrl,
  hsts,
}: Pick<Config, 'publicUrl' | 'hsts'>): RequestHandler {
  const setHelmetHeaders = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        objectSrc: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: publicUrl.protocol === 'https:' && strictTransportSecurity(hsts),
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
  });
  const headers = headersOf(setHelmetHeaders);
  headers.push(['Permissions-Policy', PERMISSIONS_POLICY], ['Cache-Control', 'no-store']);
  return function commonHeadersMiddleware(_req, res, next) {
    for (const [name, value] of headers) res.setHeader(name, value);
    res.setHeader('X-Request-Id', res.locals.requestId);
    next();
  };
}

/**
 * For two years browsers refuse plain http for this host, on all its ports. The setting HSTS adds
 * the hosts below it, and the preload list of the browsers, which is for ever.
 */
function strictTransportSecurity(hsts: Config['hsts']) {
  if (hsts === 'off') return false;
  return { maxAge: 63_072_000, includeSubDomains: hsts !== 'host', preload: hsts === 'preload' };
}

/** helmet sets the same headers on every response, so it runs once. */
function headersOf(setHeaders: RequestHandler): [string, string][] {
  const headers: [string, string][] = [];
  const response = {
    setHeader: (name: string, value: string) => headers.push([name, value]),
    removeHeader: () => undefined,
  };
  void setHeaders({} as Request, response as unknown as Response, () => undefined);
  return headers;
}

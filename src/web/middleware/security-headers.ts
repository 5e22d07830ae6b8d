import type { Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';
import type { Config } from '../../config.js';

const PERMISSIONS_POLICY = ['camera', 'geolocation', 'microphone', 'payment', 'usb', 'browsing-topics']
  .map((feature) => `${feature}=()`)
  .join(', ');

/** On every answer. Pages hold nothing inline and nothing of others; everything is no-store, and never 304, but what `static` serves. */
export function securityHeaders({ publicUrl }: Pick<Config, 'publicUrl'>): RequestHandler {
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
    strictTransportSecurity:
      publicUrl.protocol === 'https:' ? { maxAge: 63_072_000, includeSubDomains: true, preload: true } : false,
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
  });
  const headers = headersOf(setHelmetHeaders);
  headers.push(['Permissions-Policy', PERMISSIONS_POLICY], ['Cache-Control', 'no-store']);
  return function securityHeadersMiddleware(req, res, next) {
    for (const [name, value] of headers) res.setHeader(name, value);
    Object.defineProperty(req, 'fresh', { value: false }); // Express would answer 304 to "If-None-Match: *"
    next();
  };
}

/** What helmet sets is the same on every answer, so it is asked once. */
function headersOf(setHeaders: RequestHandler): [string, string][] {
  const headers: [string, string][] = [];
  const answer = {
    setHeader: (name: string, value: string) => headers.push([name, value]),
    removeHeader: () => undefined,
  };
  void setHeaders({} as Request, answer as unknown as Response, () => undefined);
  return headers;
}

import type { RequestHandler } from 'express';
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
  return function securityHeadersMiddleware(req, res, next) {
    res.set({ 'Permissions-Policy': PERMISSIONS_POLICY, 'Cache-Control': 'no-store' });
    Object.defineProperty(req, 'fresh', { value: false }); // Express would answer 304 to "If-None-Match: *"
    setHelmetHeaders(req, res, next);
  };
}

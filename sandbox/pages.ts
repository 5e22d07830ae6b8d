import { fileURLToPath } from 'node:url';
import type { Express, RequestHandler } from 'express';

export const publicFolder = fileURLToPath(new URL('./public', import.meta.url));
const viewsFolder = fileURLToPath(new URL('./views', import.meta.url));

export type RenderPage = (view: string, data: object) => Promise<string>;

/** @param appUrl the "back to the app" link of every page. */
export function createRenderPage({ app, appUrl }: { app: Express; appUrl: string }): RenderPage {
  app.set('views', viewsFolder);
  app.set('view engine', 'ejs');
  return (view, data) =>
    new Promise((resolve, reject) => {
      app.render(view, { appUrl, ...data }, (error: Error | null, html?: string) => {
        if (error !== null) reject(error);
        else resolve(html ?? '');
      });
    });
}

/** Nothing inline, nothing from elsewhere. */
export function contentSecurityPolicy({
  formTargets = [],
}: { formTargets?: readonly string[] } = {}): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    ["form-action 'self'", ...formTargets].join(' '),
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

export function pageHeaders(): RequestHandler {
  return function pageHeadersMiddleware(_req, res, next) {
    res.set({
      'content-security-policy': contentSecurityPolicy(),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    next();
  };
}

import type { Request } from 'express';

/** An empty header counts as absent. */
export const headerOf = (req: Request, name: string): string | undefined =>
  req.get(name)?.trim() || undefined;

/** By Fetch Metadata, which old browsers do not send, and some proxies strip. */
export const isForeignSite = (req: Request): boolean =>
  !['same-origin', 'none'].includes(headerOf(req, 'sec-fetch-site') ?? 'none');

/** A person going to a page: the only kind of request that is ever redirected to sign in. */
export function isNavigation(req: Request): boolean {
  if (req.method !== 'GET' || isApi(req)) return false;
  const mode = headerOf(req, 'sec-fetch-mode');
  if (mode !== undefined)
    return mode === 'navigate' && ['document', undefined].includes(headerOf(req, 'sec-fetch-dest'));
  return !isOfScript(req) && wantsHtml(req);
}

/** Scripts set X-Requested-With; an Android WebView puts its app there: "com.example.app". */
const isOfScript = (req: Request): boolean => /^[^.]+$/.test(req.get('x-requested-with') ?? '');

/** A person sending the form of a page; a script gets JSON. */
export const isFormOfPage = (req: Request): boolean =>
  req.method === 'POST' &&
  wantsHtml(req) &&
  (headerOf(req, 'sec-fetch-mode') ?? 'navigate') === 'navigate' &&
  req.is('application/x-www-form-urlencoded') !== false;

export const wantsHtml = (req: Request): boolean =>
  !isApi(req) && req.accepts(['html', 'json']) === 'html';

const isApi = (req: Request): boolean => /^\/(api|session)(\/|\?|$)/.test(req.originalUrl);

/** By its headers (RFC 9112 section 6): a body is announced by a length or a transfer coding. */
export const hasBody = (req: Request): boolean =>
  req.get('transfer-encoding') !== undefined || Number(req.get('content-length') ?? 0) > 0;

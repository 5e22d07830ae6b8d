import type { Request } from 'express';
import { AppError } from '../errors.js';
import { endpoints } from '../getbill/endpoints.js';
import { headerOf } from './request-kind.js';
import { originsOf } from './request-origin.js';

/**
 * Where the sign-in must start instead, or `undefined` here at PUBLIC_URL.
 * @throws {AppError} the browser was sent to PUBLIC_URL before, so the proxy in front changes
 * `Host`.
 */
export function canonicalLogin(
  req: Request,
  { publicUrl, returnTo }: { publicUrl: URL; returnTo: string },
): URL | undefined {
  const received = originsOf(req, publicUrl);
  if (received.includes(publicUrl.origin)) return undefined;
  if (req.query['redirected'] === undefined) {
    const again: Record<string, string> = req.query['again'] === undefined ? {} : { again: '1' };
    const more = scopesAskedFor(req).join(' ');
    const scope: Record<string, string> = more === '' ? {} : { scope: more };
    const query = new URLSearchParams({ returnTo, ...again, ...scope, redirected: '1' });
    return new URL(`/login?${query.toString()}`, publicUrl);
  }
  // "app.example." is the absolute spelling of "app.example", and the browser is where it was sent.
  const withoutDots = received.map((origin) => origin.replace(/\.(?=:\d+$|$)/, ''));
  if (withoutDots.includes(publicUrl.origin)) return undefined;
  throw new AppError('the request did not arrive under the address of PUBLIC_URL', {
    code: 'origin_mismatch',
    status: 500,
    hint:
      `expected ${publicUrl.origin} (PUBLIC_URL), received ${received.join(' and ') || 'no usable Host'}: ` +
      'the proxy must pass on the Host of the browser with its port (nginx: proxy_set_header Host $http_host), ' +
      'or PUBLIC_URL must be the origin that browsers see',
  });
}

/**
 * The scopes of `?scope=debts:write`, which asks for more than GETBILL_SCOPES: only those that an
 * endpoint of the allow-list needs, and only from a page of ours, because a link elsewhere must not
 * decide what people are asked for.
 */
export function scopesAskedFor(req: Request): string[] {
  const { scope } = req.query;
  const isOurs = (headerOf(req, 'sec-fetch-site') ?? 'same-origin') === 'same-origin';
  if (!isOurs || typeof scope !== 'string') return [];
  const known = new Set(endpoints.map((endpoint) => endpoint.scope));
  return scope.split(' ').filter((name) => known.has(name));
}

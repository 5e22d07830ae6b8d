import type { ProxyConfig } from '../config/config.js';

/** The proxy through which the app calls an address, with the variable that names it. */
export interface ProxyInUse {
  readonly url: URL;
  readonly variable: 'HTTPS_PROXY' | 'HTTP_PROXY';
}

/**
 * As undici's EnvHttpProxyAgent chooses, which `createAgent` makes: without HTTPS_PROXY, https goes
 * through HTTP_PROXY.
 */
export function proxyFor(url: URL, { http, https, except }: ProxyConfig): ProxyInUse | undefined {
  if (isException(url, except)) return undefined;
  const forHttps = url.protocol === 'https:' && https !== undefined;
  const proxy = forHttps ? https : http;
  if (proxy === undefined) return undefined;
  return { url: new URL(proxy.reveal()), variable: forHttps ? 'HTTPS_PROXY' : 'HTTP_PROXY' };
}

function isException(url: URL, except: string): boolean {
  if (except === '*') return true;
  const host = url.host.replace(/:\d*$/, '').toLowerCase();
  return except
    .split(/[,\s]/)
    .filter(Boolean)
    .some((entry) => {
      const [, name = entry, port] = /^(.+):(\d+)$/.exec(entry) ?? [];
      const suffix = name.replace(/^\*?\./, '').toLowerCase();
      return (
        (port === undefined || Number(port) === portOf(url)) &&
        (host === suffix || host.endsWith(`.${suffix}`))
      );
    });
}

export const portOf = ({ port, protocol }: URL): number =>
  Number(port) || (protocol === 'https:' ? 443 : 80);

import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { splitList } from './lists.js';
import { invisibleCharacter } from './observations.js';

interface UrlRules {
  /** Whether a query is part of the address (RFC 6749 section 3.1 allows it for endpoints). */
  readonly query?: boolean;
  /** Whether a user and a password may be in it. */
  readonly credentials?: boolean;
}

const ENCODED = 'in a password write / as %2F, \\ as %5C, # as %23, ? as %3F, : as %3A, @ as %40';

/** A URL that can be used, not only parsed. Problems name the part, never the value. */
export function url(
  protocols: readonly string[],
  { query = false, credentials = false }: UrlRules = {},
) {
  const start = protocols.map((protocol) => `${protocol}//`).join(' or ');
  return z
    .string({ error: 'is not set' })
    .superRefine((text, context) => {
      const problem = problemOf(text);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    })
    .transform((text) => (URL.canParse(text) ? withoutEmptyParts(new URL(text)) : z.NEVER));

  function problemOf(text: string): string | undefined {
    if (credentials && /:\/\/.*:\/\//s.test(text)) return 'holds more than one URL';
    if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
      const isStartRight = protocols.some((protocol) => text.startsWith(`${protocol}//`));
      const hint = isStartRight && credentials && text.includes('@') ? `; ${ENCODED}` : '';
      return `must be a URL starting with ${start}${isStartRight ? ', then a valid host and port' : ''}${hint}`;
    }
    const hidden = invisibleCharacter(text);
    if (hidden !== undefined) return `contains an invisible character (${hidden})`;
    if (/\s/.test(text)) return 'contains a space';
    const { protocol, hostname, port, username, password, search, hash, pathname } = new URL(text);
    if (credentials && protocol !== 'unix:' && (pathname + search + hash).includes('@'))
      return `has a user or password with a character that ends it; ${ENCODED}`;
    if (protocol === 'unix:') {
      if (!/^\/./.test(pathname)) return 'names no path of a socket: unix:///run/redis.sock';
      if (!/^(localhost)?$/.test(hostname))
        return 'names a host before its path: write unix:///path';
    } else if (hostname === '') {
      return 'names no host';
    } else if (!isHost(hostname)) {
      return 'has a host name that no host has';
    }
    if (port === '0') return 'has port 0, where nothing can listen';
    if (!credentials && username + password !== '') return 'must not hold a user or password';
    if (!isPercentEncoded(username + password))
      return 'has a user or password with a bare %; write it as %25';
    if (!isPercentEncoded(pathname + search)) return 'has a path with a bare %; write it as %25';
    if (search !== '' && !query) return 'must not have a query (?)';
    if (hash !== '') return 'must not have a fragment (#); a # in a password is written as %23';
    return undefined;
  }
}

/** Drops a bare ? or # at the end: a path that is appended would become part of it. */
function withoutEmptyParts(url: URL): URL {
  if (url.search === '') url.search = '';
  if (url.hash === '') url.hash = '';
  return url;
}

/** A single Redis: the path of the URL is the number of a database. */
export const redisUrl = url(['redis:', 'rediss:', 'unix:'], { credentials: true }).refine(
  ({ protocol, pathname }) => protocol === 'unix:' || /^\/?\d{0,9}$/.test(pathname),
  { error: 'has a path that is no database number, as in redis://host:6379/0' },
);

/** A node of a Cluster or a Sentinel. Both are reached by TCP; a Cluster has only database 0. */
export const redisNodeUrl = url(['redis:', 'rediss:'], { credentials: true }).refine(
  ({ pathname }) => /^\/?$/.test(pathname),
  {
    error:
      'has a path; leave it out: a Cluster and a master behind Sentinels are used with database 0',
  },
);

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** `hostname`: as `URL` gives it. Container names may hold a `_`, full names end with a dot. */
export const isHost = (hostname: string): boolean =>
  isIP(hostname.replace(/^\[|\]$/g, '')) !== 0 || /^[\w-]+(\.[\w-]+)*\.?$/.test(hostname);

const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.?$/i;

/** Where to listen: an address or a host name, and nothing else of a URL. */
export const listenHost = z.string().superRefine((text, context) => {
  const problem = hostProblem(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

function hostProblem(text: string): string | undefined {
  if (isIP(text) !== 0) return undefined;
  if (text.includes('://')) return 'is a URL; only an address or a host name belongs there';
  if (/^\[.*\]$/.test(text)) return 'has brackets around an address; leave them out';
  if (/:\d+$/.test(text)) return 'contains a port; PORT is the variable for it';
  return HOST_NAME.test(text) ? undefined : 'is neither an address nor a host name';
}

const MAX_PROXIES = 10;
const proxy = z.union([
  z.ipv4(),
  z.ipv6(),
  z.cidrv4(),
  z.cidrv6(),
  z.enum(['loopback', 'linklocal', 'uniquelocal']),
]);

/** How many proxies, or which addresses, may say where a request comes from. */
export const trustedProxies = z
  .string()
  .refine((text) => text !== 'true', {
    error: 'must not be "true": then any visitor could choose an address',
  })
  .transform((text) => (/^\d+$/.test(text) ? Number(text) : splitList(text)))
  .refine((value) => typeof value === 'number' || isProxyList(value), {
    error: 'must be a number or a list of addresses and networks, separated by commas',
  })
  .refine((value) => typeof value !== 'number' || value <= MAX_PROXIES, {
    error: `must be at most ${MAX_PROXIES}: with more than there are, any visitor could choose an address`,
  })
  .refine((value) => typeof value === 'number' || !value.some(isWideNetwork), {
    error: 'names a network so wide that any visitor could choose an address',
  });

const isProxyList = (list: string[]): boolean =>
  list.length > 0 && list.every((item) => proxy.safeParse(item).success);

/**
 * Wider than a /8 of IPv4 (which Express also takes with `::ffff:` before it), a /16 of public or a
 * /7 of private IPv6 addresses.
 */
function isWideNetwork(text: string): boolean {
  const [address = '', bits] = text.split('/');
  if (bits === undefined || !proxy.safeParse(text).success) return false;
  const prefix = Number(bits);
  if (isIP(address) === 4) return prefix < 8;
  const network = new BlockList();
  network.addSubnet(address, prefix, 'ipv6');
  if (/^[0:]*:ffff:/i.test(address) || network.check('::ffff:0:0', 'ipv6')) return prefix < 96 + 8;
  return prefix < (/^f[cde]/i.test(address) ? 7 : 16);
}

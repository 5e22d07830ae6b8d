import type { Environment } from './value-files.js';
import type { Values } from './variables.js';
import { REDIS_PLACES, settingsWithoutEffect } from './settings-without-effect.js';
import { weakSecretProblems, webhookSecretProblems } from './weak-secrets.js';

const GETBILL_URLS = [
  'GETBILL_BASE_URL',
  'GETBILL_AUTHORIZE_URL',
  'GETBILL_TOKEN_URL',
  'GETBILL_API_URL',
  'GETBILL_REVOKE_URL',
] as const;

/** Rules between variables. One that is faulty by itself is absent from `v` and passes here. */
export function invariantProblems(v: Partial<Values>, env: Environment): string[] {
  return [...always(v), ...(isProduction(v) ? inProduction(v, env) : [])];
}

/** The production rules hold for `NODE_ENV=production` and for any app the public can reach. */
export function isProduction({ NODE_ENV, PUBLIC_URL }: Partial<Values>): boolean {
  return NODE_ENV === 'production' || (PUBLIC_URL !== undefined && !isLoopback(PUBLIC_URL));
}

export const isLoopback = ({ hostname }: URL): boolean =>
  /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

function always(v: Partial<Values>): string[] {
  const problems: string[] = [];
  const plainHttpHosts = new Set(v.GETBILL_ALLOW_HTTP_HOSTS?.map((host) => host.toLowerCase()));
  for (const name of GETBILL_URLS) {
    const url = v[name];
    if (url?.protocol === 'http:' && !isLoopback(url) && !plainHttpHosts.has(url.hostname)) {
      problems.push(
        `${name} must be https: tokens and the client secret would travel in the clear; write https:// in it`,
      );
    }
  }
  const publicUrl = v.PUBLIC_URL ?? new URL(`http://localhost:${v.PORT ?? 3000}`);
  const redirectUri = `${publicUrl.origin}/oauth/callback`;
  if (v.GETBILL_REDIRECT_URI !== undefined && v.GETBILL_REDIRECT_URI !== redirectUri) {
    problems.push(
      `GETBILL_REDIRECT_URI must be $PUBLIC_URL/oauth/callback, but ${differenceOf(v.GETBILL_REDIRECT_URI, redirectUri)}: the browser would not bring our cookie there ("localhost" and "127.0.0.1" are two hosts); leave it unset, or write the same in both`,
    );
  }
  if ((v.SESSION_IDLE_S ?? 0) > (v.SESSION_MAX_S ?? Infinity))
    problems.push('SESSION_IDLE_S must not be longer than SESSION_MAX_S');
  problems.push(...ofRedis(v), ...ofWebhooks(v), ...settingsWithoutEffect(v));
  return problems;
}

/** Every variable that says where Redis is, with what it holds. */
function redisUrls(v: Partial<Values>): [name: string, urls: readonly URL[]][] {
  const all = REDIS_PLACES.map((name): [string, readonly URL[]] => [name, [v[name] ?? []].flat()]);
  return all.filter(([, urls]) => urls.length > 0);
}

function ofRedis(v: Partial<Values>): string[] {
  const problems: string[] = [];
  const places = redisUrls(v);
  if (places.length > 1)
    problems.push(
      'REDIS_URL, REDIS_CLUSTER_NODES and REDIS_SENTINELS exclude one another; set one',
    );
  for (const [name, urls] of places) {
    if (v.REDIS_PASSWORD !== undefined && urls.some(({ password }) => password !== '')) {
      problems.push(`REDIS_PASSWORD is set, and ${name} holds a password, too; keep one of them`);
    }
    if (urls.some(({ protocol }) => protocol !== urls[0]?.protocol))
      problems.push(`${name} has redis:// and rediss:// in one list; write the same for all`);
    if (urls.some((url) => hasOtherCredentials(url, urls[0]))) {
      problems.push(
        `${name} holds a user or password that is not that of its first URL, which serve for all; write both into the first and leave them out of the others`,
      );
    }
  }
  return problems;
}

const hasOtherCredentials = (url: URL, first: URL | undefined): boolean =>
  (['username', 'password'] as const).some(
    (part) => url[part] !== '' && url[part] !== first?.[part],
  );

function ofWebhooks(v: Partial<Values>): string[] {
  const problems: string[] = [];
  const { GETBILL_WEBHOOK_SECRET: secret, GETBILL_WEBHOOK_COMPANY: company } = v;
  // A faulty variable has been reported already, and is not missing
  const areValid = 'GETBILL_WEBHOOK_SECRET' in v && 'GETBILL_WEBHOOK_COMPANY' in v;
  if (areValid && secret !== undefined && company === undefined) {
    problems.push(
      'GETBILL_WEBHOOK_COMPANY is not set: GETBILL_WEBHOOK_SECRET says that an event is genuine, this says whose it is',
    );
  }
  const names = (v.GETBILL_WEBHOOK_ENDPOINTS ?? []).map(({ name }) => name);
  if (new Set(names).size < names.length)
    problems.push('GETBILL_WEBHOOK_ENDPOINTS has a name twice');
  if ((v.GETBILL_WEBHOOK_REPLICAS ?? 0) > 0 && (v.REDIS_CLUSTER_NODES ?? []).length > 0) {
    problems.push(
      'GETBILL_WEBHOOK_REPLICAS works with REDIS_URL and REDIS_SENTINELS; in a Cluster set min-replicas-to-write at Redis',
    );
  }
  return [...problems, ...webhookSecretProblems(v)];
}

/** Names the parts, never their values. */
function differenceOf(given: string, expected: string): string {
  const [left, right] = [new URL(given), new URL(expected)];
  const different = URL_PARTS.flatMap(([part, name]) => (left[part] === right[part] ? [] : [name]));
  return different.length === 0
    ? 'the spelling differs; write the host in lower case and ASCII (xn--...), as browsers send it, and no ? or # at the end'
    : `${different.join(', ')} ${different.length > 1 ? 'differ' : 'differs'}`;
}

const URL_PARTS = [
  ['protocol', 'scheme'],
  ['username', 'user'],
  ['password', 'password'],
  ['hostname', 'host'],
  ['port', 'port'],
  ['pathname', 'path'],
  ['search', 'query'],
  ['hash', 'fragment'],
] as const;

function inProduction(v: Partial<Values>, env: Environment): string[] {
  const problems: string[] = [];
  if ('PUBLIC_URL' in v && v.PUBLIC_URL?.protocol !== 'https:') {
    problems.push(
      'PUBLIC_URL must be set to the https origin that browsers see; cookies and links are made from it',
    );
  }
  const places = redisUrls(v);
  const areValid = REDIS_PLACES.every((name) => name in v);
  if (places.length === 0 && areValid) {
    problems.push(
      'REDIS_URL is not set; production keeps sessions in Redis (or REDIS_CLUSTER_NODES, REDIS_SENTINELS)',
    );
  }
  for (const [name, urls] of places) {
    const isEncrypted = urls[0]?.protocol === 'rediss:'; // then all are: `ofRedis`
    const hasPassword = urls[0]?.password !== '' || v.REDIS_PASSWORD !== undefined;
    if (v.REDIS_ALLOW_INSECURE !== false || (isEncrypted && hasPassword)) continue;
    problems.push(
      `${name} must be rediss:// with a password (of several URLs: in the first), or set REDIS_ALLOW_INSECURE=true where the network is private`,
    );
  }
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') {
    problems.push(
      'NODE_TLS_REJECT_UNAUTHORIZED=0 switches certificate checks off; unset it, and use GETBILL_CA_FILE for a private CA',
    );
  }
  if (v.FLOW_INSPECTOR === true)
    problems.push('FLOW_INSPECTOR must be false in production: it is a learning tool');
  if (v.TOUR === true)
    problems.push('TOUR must be false in production: it breaks the GetBill that it calls');
  if ((v.GETBILL_ALLOW_HTTP_HOSTS ?? []).length > 0)
    problems.push('GETBILL_ALLOW_HTTP_HOSTS must be empty in production');
  problems.push(...weakSecretProblems(v));
  if (v.NODE_ENV === 'production' || problems.length === 0) return problems;
  const [first, ...others] = problems;
  return [`${first}; ${TURNED_ON}`, ...others];
}

const TURNED_ON =
  'production rules hold because PUBLIC_URL is no loopback origin such as http://localhost:3000, whatever NODE_ENV says';

import { z } from 'zod';
import { listenHost, redisUrl, trustedProxies } from './addresses.js';
import {
  baseUrl,
  companyId,
  count,
  endpointUrl,
  everyEntry,
  fieldPath,
  flag,
  hostNames,
  httpUrl,
  isKey,
  isScope,
  list,
  MIN_WEBHOOK_SECRET,
  proxyUrl,
  redisNodes,
  required,
  requiredList,
  urlText,
  visible,
  webhookEndpoints,
} from './schemas.js';

const PROXY =
  'the proxy through which GetBill is called, for example http://proxy.example.com:3128';
const SHELL_HOST =
  'your shell may have set it (conda and tcsh do), and that wins over .env: unset HOST, or start with HOST=127.0.0.1';
const DASHBOARD = 'find it in the GetBill dashboard: Company > API Client Management';

/**
 * The whole environment. `npm run docs` writes docs/configuration.md and `.env.example` from this
 * table; defaults are in the schemas.
 */
export const variables = {
  NODE_ENV: entry(
    '`production` turns the production rules on; so does a `PUBLIC_URL` that is not a loopback origin',
    z
      .enum(['development', 'production', 'test'], { error: 'must be development or production' })
      .default('development'),
  ),
  HOST: entry(
    'the address to listen on; a value of the shell wins over `.env`, and conda and tcsh set one',
    listenHost.default('127.0.0.1'),
    { hint: SHELL_HOST },
  ),
  PORT: entry('the port to listen on', count(0, 65535).default(3000)),
  PUBLIC_URL: entry(
    'the origin that browsers see; links, cookies and the redirect URI come from it, never from `Host`',
    httpUrl
      .refine(({ pathname }) => pathname === '/', { error: 'must be an origin, without a path' })
      .refine(({ hostname }) => !hostname.endsWith('.'), {
        error: 'has a host that ends with a dot',
      })
      .optional(),
    {
      hint: 'the origin browsers see, for example https://connect.example.com',
      derived: 'http://localhost:$PORT',
      example: 'https://connect.example.com',
    },
  ),
  TRUST_PROXY: entry(
    'how many proxies stand in front of the app, or a list of their addresses; never `true`',
    trustedProxies.default(0),
    { hint: 'the number of proxies in front of the app, or a list of their addresses' },
  ),
  HSTS: entry(
    'with an https `PUBLIC_URL` browsers hold its host to https for two years, all its ports: `off`, `host`, `subdomains` (the hosts below it, too), `preload` (may be put on the list of the browsers, which is for ever)',
    z
      .enum(['off', 'host', 'subdomains', 'preload'], {
        error: 'must be off, host, subdomains or preload',
      })
      .default('host'),
  ),
  GETBILL_CLIENT_ID: entry(
    'the client, made in the GetBill dashboard: Company > API Client Management > Create New OAuth Client',
    required,
    {
      hint: DASHBOARD,
      example: 'your_client_id_here',
    },
  ),
  GETBILL_CLIENT_SECRET: entry(
    'its secret, shown once beside the id; `new,old` while it is being rotated; a comma inside a secret is written `\\,`; a value with a # needs quotes in `.env` and must have none for docker --env-file',
    requiredList,
    { hint: DASHBOARD, example: 'your_client_secret_here' },
  ),
  GETBILL_CLIENT_SECRET_SINCE: entry(
    'the day on which the first secret was made; its age is then a metric and a hint of the doctor. Without it the change time of `GETBILL_CLIENT_SECRET_FILE` counts, and without that the age is unknown',
    z.iso
      .date({ error: 'must be a day as YYYY-MM-DD' })
      .transform((day) => Date.parse(day))
      .optional(),
    { example: '2026-01-31' },
  ),
  GETBILL_REDIRECT_URI: entry('must equal a registered URI byte for byte', urlText.optional(), {
    hint: 'the callback URL you registered at GetBill',
    derived: '$PUBLIC_URL/oauth/callback',
    example: 'http://localhost:3000/oauth/callback',
  }),
  GETBILL_SCOPES: entry(
    'separated by spaces; pages appear with the scopes they need',
    z
      .string()
      .default('company:read')
      .transform((text) => [...new Set(text.split(/\s+/).filter(Boolean))])
      .refine((list) => list.length > 0 && list.every(isScope), {
        error: 'must be scopes separated by spaces',
      }),
  ),
  GETBILL_BASE_URL: entry('where GetBill is', baseUrl.default(new URL('https://getbill.io'))),
  GETBILL_AUTHORIZE_URL: entry('where people approve', endpointUrl.optional(), {
    derived: '$GETBILL_BASE_URL/oauth/authorize',
    example: 'https://getbill.io/oauth/authorize',
  }),
  GETBILL_TOKEN_URL: entry(
    'the token endpoint; the pages of GetBill disagree about it (/oauth/token or /token)',
    endpointUrl.optional(),
    { derived: '$GETBILL_BASE_URL/oauth/token', example: 'https://getbill.io/oauth/token' },
  ),
  GETBILL_API_URL: entry('where the API is', httpUrl.optional(), {
    derived: '$GETBILL_BASE_URL/external-api/v1',
    example: 'https://getbill.io/external-api/v1',
  }),
  GETBILL_REVOKE_URL: entry(
    'revocation (RFC 7009); GetBill documents none, so nothing is called unless it is set',
    endpointUrl.optional(),
  ),
  GETBILL_ISSUER: entry(
    'when set, `iss` must be in the callback and equal to it (RFC 9207)',
    urlText.optional(),
  ),
  GETBILL_CA_FILE: entry(
    'a private certificate authority, a PEM file; that of an `https://` proxy goes into NODE_EXTRA_CA_CERTS, a variable of Node',
    z.string().optional(),
  ),
  GETBILL_TLS_PINS: entry(
    'SHA-256 pins of public keys (SPKI), base64, at least two, separated by commas',
    list
      .refine((pins) => new Set(pins).size !== 1, {
        error: 'needs at least two pins, one of them a backup',
      })
      .refine((pins) => pins.every((pin) => /^[A-Za-z0-9+/]{43}=$/.test(pin)), {
        error: 'must be base64 SHA-256 values',
      })
      .default([]),
    { hint: 'docs/operations.md shows how to make a pin' },
  ),
  GETBILL_TLS_PINS_REPORT_ONLY: entry(
    'a certificate that no pin matches is logged, and the call goes on',
    flag.default(false),
  ),
  GETBILL_TIMEOUT_MS: entry(
    'milliseconds: the deadline for a token call, and for the first byte of an API response; then the longest silence in its body',
    count(100, 120_000).default(10_000),
  ),
  HTTPS_PROXY: entry(
    'the proxy through which GetBill is called over https; also in lower case, which comes first',
    proxyUrl.optional(),
    { hint: PROXY, example: 'http://proxy.example.com:3128' },
  ),
  HTTP_PROXY: entry(
    'the same for http, and for https where `HTTPS_PROXY` is unset',
    proxyUrl.optional(),
    {
      hint: PROXY,
    },
  ),
  NO_PROXY: entry(
    'hosts that are called directly, separated by commas; also in lower case',
    z.string().default(''),
  ),
  GETBILL_WEBHOOK_SECRET: entry(
    'the secret that GetBill shows for the webhook (docs/webhooks.md); `new,old` while it is being changed; without one /webhooks/getbill is 404',
    everyEntry(
      (item) => item.length >= MIN_WEBHOOK_SECRET,
      'is shorter than 16 characters',
    ).optional(),
    {
      hint: 'GetBill shows the secret of a webhook in its dashboard; while it is being changed: new,old',
    },
  ),
  GETBILL_WEBHOOK_COMPANY: entry(
    'the id of the company that the webhook belongs to',
    companyId.optional(),
    {
      hint: 'the id of the company whose webhook has GETBILL_WEBHOOK_SECRET, as /company/profile shows it',
    },
  ),
  GETBILL_WEBHOOK_ENDPOINTS: entry(
    'webhooks of several companies, at /webhooks/getbill/name: `name company secret` or `name company new-secret old-secret`, separated by commas',
    webhookEndpoints.default([]),
    { hint: 'for example: acme 1f0c-id-of-the-company its-secret' },
  ),
  GETBILL_WEBHOOK_ID_FIELD: entry(
    'the member of the signed JSON body that holds the id of an event, as in `meta.id`; the documents of GetBill name none',
    fieldPath.optional(),
  ),
  GETBILL_WEBHOOK_TIME_FIELD: entry('the member that holds its time', fieldPath.optional()),
  GETBILL_WEBHOOK_REPLICAS: entry(
    'replicas of Redis that must have an event before GetBill is told that it is stored',
    count(0, 10).default(0),
  ),
  SESSION_SECRET: entry(
    '32 bytes or more: `openssl rand -base64 32`; a list: the first signs, all verify',
    everyEntry((item) => Buffer.byteLength(item) >= 32, 'is shorter than 32 bytes'),
    { hint: 'make one with: openssl rand -base64 32' },
  ),
  TOKEN_ENCRYPTION_KEY: entry(
    'base64 of exactly 32 bytes: `openssl rand -base64 32`; a list: the first writes, all read',
    everyEntry(isKey, 'is not the base64 of 32 bytes').transform((list) =>
      list.map((item) => Buffer.from(item, 'base64')),
    ),
    { hint: 'make one with: openssl rand -base64 32' },
  ),
  SESSION_IDLE_S: entry('seconds that a session may stay unused', count(1, 86_400).default(1800)),
  SESSION_MAX_S: entry(
    'seconds that a session lives at most',
    count(1, 30 * 86_400).default(28_800),
  ),
  REFRESH_MARGIN_S: entry(
    'renew an access token this many seconds before it expires, at most a quarter of its lifetime',
    count(0, 3600).default(60),
  ),
  REDIS_URL: entry(
    '`redis://`, `rediss://` or `unix:///path`; unset: memory, one process; production needs Redis with TLS and a password',
    redisUrl.optional(),
    { example: 'redis://localhost:6379' },
  ),
  REDIS_CLUSTER_NODES: entry(
    'instead of it, a Cluster: URLs separated by commas; user and password of the first serve for all',
    redisNodes.default([]),
  ),
  REDIS_SENTINELS: entry(
    'instead of it, a Sentinel set: URLs (port 26379 where none is named) separated by commas; user and password of the first serve for all',
    redisNodes.default([]),
  ),
  REDIS_SENTINEL_NAME: entry(
    'the name of the master that the Sentinels watch',
    z.string().default('mymaster'),
  ),
  REDIS_SENTINEL_USERNAME: entry(
    'where the Sentinels have a user of their own',
    z.string().optional(),
  ),
  REDIS_SENTINEL_PASSWORD: entry(
    'where the Sentinels have a password of their own; a file (`_FILE`) is read again at every connection',
    visible(z.string()).optional(),
  ),
  REDIS_PASSWORD: entry(
    'instead of the password in the URLs; a file (`REDIS_PASSWORD_FILE`) is read again at every connection',
    visible(z.string()).optional(),
  ),
  REDIS_PREFIX: entry(
    'in front of every key, so that others can share this Redis; a hash of the client id follows',
    z
      .string()
      .regex(/^[\w.:/-]{1,64}$/, { error: 'must be 1 to 64 letters, digits or . : / _ -' })
      .default('getbill:'),
  ),
  REDIS_CA_FILE: entry('a private certificate authority, a PEM file', z.string().optional()),
  REDIS_ALLOW_INSECURE: entry(
    'allows Redis without TLS or password in production, where the network is private',
    flag.default(false),
  ),
  RATE_LIMIT_LOGIN: entry(
    'requests of `/login` a minute, for each client address',
    count(1, 1_000_000).default(30),
  ),
  RATE_LIMIT_CALLBACK: entry(
    'requests of `/oauth/callback` a minute, for each client address',
    count(1, 1_000_000).default(30),
  ),
  RATE_LIMIT_API: entry(
    'calls of `/api` a minute, for each session',
    count(1, 1_000_000).default(120),
  ),
  RATE_LIMIT_PAGES: entry(
    'pages a minute, for each session and process, and as often `/session` and `/events/live`; beyond that they are refused after one to two seconds',
    count(1, 1_000_000).default(120),
  ),
  RATE_LIMIT_REFRESH: entry('renewals a minute, in all', count(1, 1_000_000).default(6000)),
  FLOW_INSPECTOR: entry(
    'a learning tool, on in the demo: records the redacted traffic of this browser for `/flow`; refused in production',
    flag.default(false),
  ),
  TOUR: entry(
    'seven scenes at `/tour` that break the sandbox and count what follows, on in the demo; needs a sandbox as GETBILL_BASE_URL; refused in production',
    flag.default(false),
  ),
  GETBILL_ALLOW_HTTP_HOSTS: entry(
    'hosts that may be called over http besides loopback, separated by commas; refused in production',
    hostNames.default([]),
  ),
  KEEP_ALIVE_S: entry(
    'seconds that an idle connection is kept: longer than the proxy in front keeps it (the one of Google keeps 600)',
    count(1, 3600).default(65),
  ),
  DRAIN_DELAY_S: entry(
    'seconds that the app goes on serving after SIGTERM or Ctrl-C, with `/readyz` already 503',
    count(0, 300).default(5),
  ),
  LOG_LEVEL: entry(
    '`trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`',
    z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
        error: 'must be a pino level: trace, debug, info, warn, error, fatal or silent',
      })
      .default('info'),
  ),
  METRICS_TOKEN: entry(
    '16 characters or more; `/metrics` answers only with this bearer token, and is 404 while it is unset',
    required
      .refine((text) => text.length >= 16, { error: 'is shorter than 16 characters' })
      .refine((text) => /^[\x20-\x7e]*$/.test(text), {
        error: 'has a character that no Authorization header carries; use letters and digits',
      })
      .refine((text) => !/^bearer /i.test(text), { error: 'begins with "Bearer"; leave that out' })
      .optional(),
  ),
};

export type Values = {
  [Name in keyof typeof variables]: z.output<(typeof variables)[Name]['schema']>;
};

/** Texts about a variable, for the documents and the errors. */
interface EntryTexts {
  /** How to get a value, for errors. */
  readonly hint?: string;
  /** The default, where it is made of other variables. */
  readonly derived?: string;
  /** The value in `.env.example` where there is no default. */
  readonly example?: string;
}

function entry<Schema extends z.ZodType>(
  meaning: string,
  schema: Schema,
  { hint = '', derived, example = '' }: EntryTexts = {},
) {
  return { meaning, schema, hint, derived, example };
}

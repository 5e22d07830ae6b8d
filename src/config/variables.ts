import { z } from 'zod';

const PLACEHOLDER = /^(your[_-]|change[_-]?me|placeholder|example|secret$|password$|xxx+|<)/i;

const count = (least: number, most: number) =>
  z.coerce
    .number({ error: `must be a whole number from ${least} to ${most}` })
    .int({ error: `must be a whole number from ${least} to ${most}` })
    .min(least, { error: `must be at least ${least}` })
    .max(most, { error: `must be at most ${most}` });
const url = (...protocols: string[]) =>
  z
    .string({ error: 'is not set' })
    .refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
      error: `must be a URL starting with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    })
    .transform((text) => new URL(text));
const http = url('https:', 'http:');
const redis = url('redis:', 'rediss:', 'unix:').refine(({ username, password }) => isEncoded(username + password), {
  error: 'has a user or password with a bare %; write it as %25',
});
function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
const flag = z.enum(['true', 'false'], { error: 'must be true or false' }).transform((text) => text === 'true');
const listed = (text: string): string[] => text.split(',').map((item) => item.trim()).filter(Boolean); // prettier-ignore
const items = z.string().transform(listed);
const required = z
  .string({ error: 'is not set' })
  .refine((text) => !PLACEHOLDER.test(text), { error: 'still holds a placeholder' });
const requiredList = required
  .transform(listed)
  .refine((list) => list.length > 0, { error: 'is not set' })
  .refine((list) => !list.some((item) => PLACEHOLDER.test(item)), { error: 'still holds a placeholder' });

const proxy = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6(), z.enum(['loopback', 'linklocal', 'uniquelocal'])]);
const isProxy = (text: string): boolean => proxy.safeParse(text).success && !text.endsWith('/0'); // that is everybody

const PROXY = 'the proxy through which GetBill is called, for example http://proxy.example.com:3128';
const DASHBOARD = 'find it in the GetBill dashboard: Company > API Client Management';

/** The whole environment, in the order of `.env.example`. `hint` says how to get a value; defaults are in the schema. */
export const variables = {
  NODE_ENV: entry(z.enum(['development', 'production', 'test'], { error: 'must be development or production' }).default('development')), // prettier-ignore
  HOST: entry(z.string().default('127.0.0.1')),
  PORT: entry(count(0, 65535).default(3000)),
  PUBLIC_URL: entry(http.refine((value) => value.pathname === '/' && value.search === '', { error: 'must be an origin, without a path' }).optional(), 'the origin browsers see, for example https://connect.example.com'), // prettier-ignore
  TRUST_PROXY: entry(
    z
      .string()
      .refine((text) => text !== 'true', { error: 'must not be "true": then any visitor could choose an address' })
      .transform((text) => (/^\d+$/.test(text) ? Number(text) : text.split(',').map((item) => item.trim())))
      .refine((value) => typeof value === 'number' || value.every(isProxy), {
        error: 'must be a number or a list of addresses and networks',
      })
      .default(0),
    'the number of proxies in front of the app, or a list of their addresses',
  ),
  HSTS: entry(
    z
      .enum(['off', 'host', 'subdomains', 'preload'], {
        error: 'must be off, host, subdomains or preload',
      })
      .default('host'),
  ),
  GETBILL_CLIENT_ID: entry(required, DASHBOARD),
  GETBILL_CLIENT_SECRET: entry(requiredList, DASHBOARD),
  GETBILL_REDIRECT_URI: entry(
    z
      .string()
      .refine((text) => URL.canParse(text), { error: 'must be a URL' })
      .optional(),
    'the callback URL you registered at GetBill',
  ),
  GETBILL_SCOPES: entry(
    z
      .string()
      .default('company:read')
      .transform((text) => text.split(/\s+/).filter(Boolean))
      .refine((list) => list.length > 0 && list.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)), {
        error: 'must be scopes separated by spaces',
      }),
  ),
  GETBILL_BASE_URL: entry(http.default(new URL('https://getbill.io'))),
  GETBILL_AUTHORIZE_URL: entry(http.optional()),
  GETBILL_TOKEN_URL: entry(http.optional()),
  GETBILL_API_URL: entry(http.optional()),
  GETBILL_REVOKE_URL: entry(http.optional()),
  GETBILL_ISSUER: entry(z.string().optional()),
  GETBILL_CA_FILE: entry(z.string().optional()),
  GETBILL_TLS_PINS: entry(
    items
      .refine((pins) => pins.length !== 1, { error: 'needs at least two pins, one of them a backup' })
      .refine((pins) => pins.every((pin) => /^[A-Za-z0-9+/]{43}=$/.test(pin)), {
        error: 'must be base64 SHA-256 values',
      })
      .default([]),
    'docs/operations.md shows how to make a pin',
  ),
  GETBILL_TLS_PINS_REPORT_ONLY: entry(flag.default(false)),
  GETBILL_TIMEOUT_MS: entry(count(100, 120_000).default(10_000)),
  HTTPS_PROXY: entry(http.optional(), PROXY),
  HTTP_PROXY: entry(http.optional(), PROXY),
  NO_PROXY: entry(z.string().default('')),
  SESSION_SECRET: entry(
    requiredList.refine((list) => list.every((item) => Buffer.byteLength(item) >= 32), {
      error: 'is shorter than 32 bytes',
    }),
    'make one with: openssl rand -base64 32',
  ),
  TOKEN_ENCRYPTION_KEY: entry(
    requiredList
      .transform((list) => list.map((item) => Buffer.from(item, 'base64')))
      .refine((list) => list.every((key) => key.length === 32), { error: 'is not the base64 of 32 bytes' }),
    'make one with: openssl rand -base64 32',
  ),
  SESSION_IDLE_S: entry(count(1, 86_400).default(1800)),
  SESSION_MAX_S: entry(count(1, 30 * 86_400).default(28_800)),
  REFRESH_MARGIN_S: entry(count(0, 3600).default(60)),
  REDIS_URL: entry(redis.optional()),
  REDIS_CLUSTER_NODES: entry(items.pipe(z.array(redis)).default([])),
  REDIS_SENTINELS: entry(items.pipe(z.array(redis)).default([])),
  REDIS_SENTINEL_NAME: entry(z.string().default('mymaster')),
  REDIS_SENTINEL_USERNAME: entry(z.string().optional()),
  REDIS_SENTINEL_PASSWORD: entry(z.string().optional()),
  REDIS_PASSWORD: entry(z.string().optional()),
  REDIS_PREFIX: entry(
    z
      .string()
      .regex(/^[\w.:/-]{1,64}$/, { error: 'must be 1 to 64 letters, digits or . : / _ -' })
      .default('getbill:'),
  ),
  REDIS_CA_FILE: entry(z.string().optional()),
  REDIS_ALLOW_INSECURE: entry(flag.default(false)),
  RATE_LIMIT_LOGIN: entry(count(1, 1_000_000).default(30)),
  RATE_LIMIT_CALLBACK: entry(count(1, 1_000_000).default(30)),
  RATE_LIMIT_API: entry(count(1, 1_000_000).default(120)),
  RATE_LIMIT_REFRESH: entry(count(1, 1_000_000).default(6000)),
  FLOW_INSPECTOR: entry(flag.default(false)),
  GETBILL_ALLOW_HTTP_HOSTS: entry(items.default([])),
  KEEP_ALIVE_S: entry(count(1, 3600).default(65)),
  DRAIN_DELAY_S: entry(count(0, 300).default(5)),
  LOG_LEVEL: entry(z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], { error: 'must be a pino level: trace, debug, info, warn, error, fatal or silent' }).default('info')), // prettier-ignore
  METRICS_TOKEN: entry(
    required.refine((text) => text.length >= 16, { error: 'is shorter than 16 characters' }).optional(),
  ),
};

export type Values = { [Name in keyof typeof variables]: z.output<(typeof variables)[Name]['schema']> };

function entry<Schema extends z.ZodType>(schema: Schema, hint = '') {
  return { schema, hint };
}

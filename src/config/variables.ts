import { z } from 'zod';
import { listenHost, redisNodeUrl, redisUrl, trustedProxies, url } from './addresses.js';
import { splitList } from './lists.js';
import { invisibleCharacter } from './observations.js';

/** Whole values of `.env.example` and of the guides: what merely begins like one may be somebody's own. */
const PLACEHOLDER =
  /^(your[_-](client[_-]|session[_-])?(id|secret|key)([_-]here)?|your_\w+_here|change[_-]?me|placeholder|example|secret|password|x{3,}|\.{3}|<.*>)$/i;
const isPlaceholder = (text: string): boolean => PLACEHOLDER.test(text);

const count = (least: number, most: number) =>
  z.coerce
    .number({ error: `must be a whole number from ${least} to ${most}` })
    .int({ error: `must be a whole number from ${least} to ${most}` })
    .min(least, { error: `must be at least ${least}` })
    .max(most, { error: `must be at most ${most}` });
const http = url(['https:', 'http:']);
const proxy = url(['https:', 'http:'], { credentials: true });
const endpoint = url(['https:', 'http:'], { query: true });
const flag = z.enum(['true', 'false'], { error: 'must be true or false' }).transform((text) => text === 'true');
const items = z.string().transform(splitList);
const visible = (schema: z.ZodType<string, string>) =>
  schema.superRefine((text, context) => {
    const hidden = invisibleCharacter(text);
    if (hidden === undefined) return;
    context.addIssue({ code: 'custom', message: `contains an invisible character (${hidden})` });
  });
const required = visible(z.string({ error: 'is not set' })).refine((text) => !isPlaceholder(text), {
  error: 'still holds a placeholder',
});
const requiredList = required
  .transform(splitList)
  .refine((list) => list.length > 0, { error: 'is not set' })
  .refine((list) => !list.some(isPlaceholder), { error: 'still holds a placeholder' });
/** Says which entry, where there are several: an unescaped comma makes two of one. */
const everyEntry = (isValid: (item: string) => boolean, what: string) =>
  requiredList.superRefine((list, context) => {
    const index = list.findIndex((item) => !isValid(item));
    if (index === -1) return;
    const entry = `entry ${index + 1} of ${list.length}: a comma separates entries, \\, is a comma`;
    context.addIssue({ code: 'custom', message: list.length === 1 ? what : `${what} (${entry})` });
  });

const MIN_WEBHOOK_SECRET = 16;
const companyId = visible(z.string().max(128, { error: 'is longer than 128 characters' })).refine(
  (text) => !/\s/.test(text),
  { error: 'contains a space' },
);
/** A member of the signed JSON body; dots lead into objects. */
const fieldPath = z.string().regex(/^[\w-]{1,64}(\.[\w-]{1,64}){0,3}$/, {
  error: 'must be the name of a member of the JSON body, as in id or meta.id',
});
/** "name company secret" or "name company new-secret old-secret", several separated by commas. */
const webhookEndpoints = visible(z.string())
  .transform((text) => splitList(text).map((item) => item.split(/\s+/)))
  .superRefine((endpoints, context) => {
    const problem = endpoints.map(endpointProblem).find((found) => found !== undefined);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  })
  .transform((endpoints) => endpoints.map(([name = '', company = '', ...secrets]) => ({ name, company, secrets })));

function endpointProblem([name = '', company = '', ...secrets]: string[], index: number): string | undefined {
  const entry = `in entry ${index + 1}`;
  if (company === '' || secrets.length === 0) return `must be a name, a company id and a secret (${entry})`;
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) {
    return `has a name that is not 1 to 32 lower-case letters, digits and hyphens (${entry})`;
  }
  if (secrets.some((text) => text.length < MIN_WEBHOOK_SECRET || isPlaceholder(text))) {
    return `has a secret that is a placeholder or shorter than 16 characters (${entry})`;
  }
  return undefined;
}

const PROXY = 'the proxy through which GetBill is called, for example http://proxy.example.com:3128';
const SHELL_HOST =
  'your shell may have set it (conda and tcsh do), and that wins over .env: unset HOST, or start with HOST=127.0.0.1';
const DASHBOARD = 'find it in the GetBill dashboard: Company > API Client Management';

/** The whole environment, in the order of `.env.example`. `hint` says how to get a value; defaults are in the schema. */
export const variables = {
  NODE_ENV: entry(z.enum(['development', 'production', 'test'], { error: 'must be development or production' }).default('development')), // prettier-ignore
  HOST: entry(listenHost.default('127.0.0.1'), SHELL_HOST),
  PORT: entry(count(0, 65535).default(3000)),
  PUBLIC_URL: entry(
    http.refine(({ pathname }) => pathname === '/', { error: 'must be an origin, without a path' }).optional(),
    'the origin browsers see, for example https://connect.example.com',
  ),
  TRUST_PROXY: entry(
    trustedProxies.default(0),
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
  GETBILL_AUTHORIZE_URL: entry(endpoint.optional()),
  GETBILL_TOKEN_URL: entry(endpoint.optional()),
  GETBILL_API_URL: entry(http.optional()),
  GETBILL_REVOKE_URL: entry(endpoint.optional()),
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
  HTTPS_PROXY: entry(proxy.optional(), PROXY),
  HTTP_PROXY: entry(proxy.optional(), PROXY),
  NO_PROXY: entry(z.string().default('')),
  GETBILL_WEBHOOK_SECRET: entry(
    everyEntry((item) => item.length >= MIN_WEBHOOK_SECRET, 'is shorter than 16 characters').optional(),
    'GetBill shows the secret of a webhook in its dashboard; while it is being changed: new,old',
  ),
  GETBILL_WEBHOOK_COMPANY: entry(
    companyId.optional(),
    'the id of the company whose webhook has GETBILL_WEBHOOK_SECRET, as /company/profile shows it',
  ),
  GETBILL_WEBHOOK_ENDPOINTS: entry(webhookEndpoints.default([]), 'for example: acme 1f0c-id-of-the-company its-secret'),
  GETBILL_WEBHOOK_ID_FIELD: entry(fieldPath.optional()),
  GETBILL_WEBHOOK_TIME_FIELD: entry(fieldPath.optional()),
  GETBILL_WEBHOOK_REPLICAS: entry(count(0, 10).default(0)),
  SESSION_SECRET: entry(
    everyEntry((item) => Buffer.byteLength(item) >= 32, 'is shorter than 32 bytes'),
    'make one with: openssl rand -base64 32',
  ),
  TOKEN_ENCRYPTION_KEY: entry(
    everyEntry((item) => Buffer.from(item, 'base64').length === 32, 'is not the base64 of 32 bytes').transform((list) =>
      list.map((item) => Buffer.from(item, 'base64')),
    ),
    'make one with: openssl rand -base64 32',
  ),
  SESSION_IDLE_S: entry(count(1, 86_400).default(1800)),
  SESSION_MAX_S: entry(count(1, 30 * 86_400).default(28_800)),
  REFRESH_MARGIN_S: entry(count(0, 3600).default(60)),
  REDIS_URL: entry(redisUrl.optional()),
  REDIS_CLUSTER_NODES: entry(items.pipe(z.array(redisNodeUrl)).default([])),
  REDIS_SENTINELS: entry(items.pipe(z.array(redisNodeUrl)).default([])),
  REDIS_SENTINEL_NAME: entry(z.string().default('mymaster')),
  REDIS_SENTINEL_USERNAME: entry(z.string().optional()),
  REDIS_SENTINEL_PASSWORD: entry(visible(z.string()).optional()),
  REDIS_PASSWORD: entry(visible(z.string()).optional()),
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

import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError } from '../errors.js';
import { observe } from './observations.js';
import { invariantProblems, isProduction } from './invariants.js';
import { variables, type Values } from './variables.js';
import { secret, type Secret } from '../secret.js';

/** Final types only: URLs, milliseconds, lists. Frozen; secrets show as "[secret]" wherever it is printed. */
export interface Config {
  readonly production: boolean;
  readonly developerPages: boolean;
  readonly host: string;
  readonly port: number;
  readonly publicUrl: URL;
  /** Whom browsers hold to https once they have seen PUBLIC_URL. */
  readonly hsts: Values['HSTS'];
  readonly trustProxy: number | readonly string[];
  readonly getbill: GetbillConfig;
  readonly webhooks: WebhooksConfig;
  readonly session: {
    readonly secrets: Secret<readonly string[]>;
    readonly idleMs: number;
    readonly maxMs: number;
  };
  readonly tokenEncryptionKeys: Secret<readonly Buffer[]>;
  readonly refreshMarginMs: number;
  readonly redis: RedisConfig | undefined;
  readonly rateLimits: {
    readonly login: number;
    readonly callback: number;
    readonly api: number;
    readonly refresh: number;
  };
  readonly flowInspector: boolean;
  readonly tour: boolean;
  readonly keepAliveMs: number;
  readonly drainDelayMs: number;
  readonly logLevel: string;
  readonly metricsToken: Secret | undefined;
}

export interface GetbillConfig {
  readonly clientId: string;
  readonly clientSecrets: readonly Secret[];
  /** Text, not a URL: it must equal a registered URI byte for byte. */
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly authorizeUrl: URL;
  readonly tokenUrl: URL;
  readonly apiUrl: URL;
  readonly revokeUrl: URL | undefined;
  readonly issuer: string | undefined;
  readonly caFile: string | undefined;
  readonly tlsPins: readonly string[];
  readonly tlsPinsReportOnly: boolean;
  readonly timeoutMs: number;
  readonly proxy: ProxyConfig;
}

export interface WebhooksConfig {
  /** Empty: webhooks are off. */
  readonly endpoints: readonly WebhookEndpointConfig[];
  /** Where GetBill puts the id and the time of an event, which its documents do not say; empty: nowhere. */
  readonly idField: string;
  readonly timeField: string;
  /** Replicas of Redis that must have an event before it is acknowledged. */
  readonly replicas: number;
}

export interface WebhookEndpointConfig {
  /** `/webhooks/getbill/<name>`; empty: `/webhooks/getbill`. */
  readonly name: string;
  readonly companyId: string;
  readonly secrets: Secret<readonly string[]>;
}

/** The proxy through which GetBill is called, by the protocol of the call; `undefined`: none. */
export interface ProxyConfig {
  /** They may hold a password. */
  readonly http: Secret | undefined;
  readonly https: Secret | undefined;
  /** Hosts that are called directly, as `NO_PROXY` lists them. */
  readonly except: string;
}

export interface RedisConfig {
  readonly topology: 'single' | 'sentinel' | 'cluster';
  /** They may hold the password. */
  readonly urls: Secret<readonly [URL, ...URL[]]>;
  readonly sentinelName?: string;
  readonly caFile?: string | undefined;
  /** In front of every key. */
  readonly keyPrefix?: string;
  readonly password?: Secret | undefined;
  /** Read again at every connection, since the password in it may change. */
  readonly passwordFile?: string | undefined;
  /** Of the Sentinels, where they are not those of Redis. */
  readonly sentinelUsername?: string | undefined;
  readonly sentinelPassword?: Secret | undefined;
  readonly sentinelPasswordFile?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @param readFile for `*_FILE` variables, which name a file that holds the value.
 * @throws {ConfigError} with every fault at once, by name and never by value.
 */
export function parseConfig(
  env: Environment,
  readFile = (path: string) => readFileSync(path, 'utf8'),
): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { schema, hint }] of Object.entries(variables)) {
    const raw = rawOf(name);
    const result = schema.safeParse(raw?.trim() || undefined);
    if (result.success) values[name] = result.data;
    else problems.push(problemText(name, { issue: result.error.issues[0]?.message, raw, hint }));
  }
  problems.push(...invariantProblems(values, env));
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(toConfig(values as Values, env));

  function valueOf(name: string): string | undefined {
    const lowerCase = EITHER_CASE.has(name) ? env[name.toLowerCase()] : undefined;
    return lowerCase ?? env[name];
  }

  function rawOf(name: string): string | undefined {
    const file = env[`${name}_FILE`]?.trim();
    if (file === undefined || file === '') return valueOf(name);
    try {
      return readFile(file);
    } catch {
      problems.push(`${name}_FILE names a file that cannot be read`);
      return undefined;
    }
  }
}

/** Written in lower case on most machines; that spelling comes first, as in curl and undici. */
const EITHER_CASE = new Set(['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']);

/** "NAME what is wrong (what can be seen); how to get a value": never the value. */
function problemText(
  name: string,
  {
    issue = 'is not usable',
    raw = '',
    hint,
  }: { issue?: string | undefined; raw?: string | undefined; hint: string },
): string {
  const seen = raw.trim() === '' || issue.includes('invisible') ? [] : observe(raw);
  const aside = seen.length === 0 ? '' : ` (it ${seen.join(', ')})`;
  return `${name} ${issue}${aside}${hint ? `; ${hint}` : ''}`;
}

function toConfig(v: Values, env: Environment): Config {
  const publicUrl = v.PUBLIC_URL ?? new URL(`http://localhost:${v.PORT}`);
  const base = v.GETBILL_BASE_URL.href.replace(/\/$/, '');
  return {
    production: isProduction(v),
    developerPages: v.NODE_ENV === 'development' && !isProduction(v),
    host: v.HOST,
    port: v.PORT,
    publicUrl,
    hsts: v.HSTS,
    trustProxy: v.TRUST_PROXY,
    getbill: {
      clientId: v.GETBILL_CLIENT_ID,
      clientSecrets: v.GETBILL_CLIENT_SECRET.map((text) => secret(text)),
      redirectUri: v.GETBILL_REDIRECT_URI ?? `${publicUrl.origin}/oauth/callback`,
      scopes: v.GETBILL_SCOPES,
      authorizeUrl: v.GETBILL_AUTHORIZE_URL ?? new URL(`${base}/oauth/authorize`),
      tokenUrl: v.GETBILL_TOKEN_URL ?? new URL(`${base}/oauth/token`),
      apiUrl: v.GETBILL_API_URL ?? new URL(`${base}/external-api/v1`),
      revokeUrl: v.GETBILL_REVOKE_URL,
      issuer: v.GETBILL_ISSUER,
      caFile: v.GETBILL_CA_FILE,
      tlsPins: v.GETBILL_TLS_PINS,
      tlsPinsReportOnly: v.GETBILL_TLS_PINS_REPORT_ONLY,
      timeoutMs: v.GETBILL_TIMEOUT_MS,
      proxy: proxyOf(v),
    },
    webhooks: webhooksOf(v),
    session: {
      secrets: secret(v.SESSION_SECRET),
      idleMs: v.SESSION_IDLE_S * 1000,
      maxMs: v.SESSION_MAX_S * 1000,
    },
    tokenEncryptionKeys: secret(v.TOKEN_ENCRYPTION_KEY),
    refreshMarginMs: v.REFRESH_MARGIN_S * 1000,
    redis: redisOf(v, env),
    rateLimits: {
      login: v.RATE_LIMIT_LOGIN,
      callback: v.RATE_LIMIT_CALLBACK,
      api: v.RATE_LIMIT_API,
      refresh: v.RATE_LIMIT_REFRESH,
    },
    flowInspector: v.FLOW_INSPECTOR,
    tour: v.TOUR,
    keepAliveMs: v.KEEP_ALIVE_S * 1000,
    drainDelayMs: v.DRAIN_DELAY_S * 1000,
    logLevel: v.LOG_LEVEL,
    metricsToken: secretOf(v.METRICS_TOKEN),
  };
}

function webhooksOf(v: Values): WebhooksConfig {
  const plain = {
    name: '',
    company: v.GETBILL_WEBHOOK_COMPANY ?? '',
    secrets: v.GETBILL_WEBHOOK_SECRET ?? [],
  };
  const endpoints = [plain, ...v.GETBILL_WEBHOOK_ENDPOINTS].filter(
    ({ secrets }) => secrets.length > 0,
  );
  return {
    endpoints: endpoints.map(({ name, company, secrets }) => ({
      name,
      companyId: company,
      secrets: secret(secrets),
    })),
    idField: v.GETBILL_WEBHOOK_ID_FIELD ?? '',
    timeField: v.GETBILL_WEBHOOK_TIME_FIELD ?? '',
    replicas: v.GETBILL_WEBHOOK_REPLICAS,
  };
}

function proxyOf(v: Values): ProxyConfig {
  return {
    http: secretOf(v.HTTP_PROXY?.href),
    https: secretOf(v.HTTPS_PROXY?.href),
    except: v.NO_PROXY,
  };
}

function redisOf(v: Values, env: Environment): RedisConfig | undefined {
  const [topology, [first, ...others]] = topologyOf(v);
  if (first === undefined) return undefined;
  return {
    topology,
    urls: secret([first, ...others] as const),
    sentinelName: v.REDIS_SENTINEL_NAME,
    caFile: v.REDIS_CA_FILE,
    keyPrefix: `${v.REDIS_PREFIX}${hash('sha256', v.GETBILL_CLIENT_ID, 'base64url').slice(0, 8)}:`,
    password: secretOf(v.REDIS_PASSWORD),
    passwordFile: env['REDIS_PASSWORD_FILE']?.trim() || undefined,
    sentinelUsername: v.REDIS_SENTINEL_USERNAME,
    sentinelPassword: secretOf(v.REDIS_SENTINEL_PASSWORD),
    sentinelPasswordFile: env['REDIS_SENTINEL_PASSWORD_FILE']?.trim() || undefined,
  };
}

function topologyOf(v: Values): [RedisConfig['topology'], readonly URL[]] {
  if (v.REDIS_SENTINELS.length > 0) return ['sentinel', v.REDIS_SENTINELS];
  if (v.REDIS_CLUSTER_NODES.length > 0) return ['cluster', v.REDIS_CLUSTER_NODES];
  return ['single', v.REDIS_URL === undefined ? [] : [v.REDIS_URL]];
}

const secretOf = (text: string | undefined): Secret | undefined =>
  text === undefined ? undefined : secret(text);

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null && !Buffer.isBuffer(inner))
      deepFreeze(inner as object);
  }
  return Object.freeze(value);
}

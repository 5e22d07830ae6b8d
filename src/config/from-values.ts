import { hash } from 'node:crypto';
import { statSync } from 'node:fs';
import { secret, type Secret } from '../secret.js';
import { isLoopback, isProduction } from './invariants.js';
import type { Config, ProxyConfig, RedisConfig, SecretMade, WebhooksConfig } from './types.js';
import { fileOf, type Environment } from './value-files.js';
import type { Values } from './variables.js';

/** The configuration, with defaults and values that are derived from others. */
export function configFrom(v: Values, env: Environment): Config {
  const publicUrl = v.PUBLIC_URL ?? new URL(`http://localhost:${v.PORT}`);
  const base = v.GETBILL_BASE_URL.href.replace(/\/+$/, '');
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
      clientSecretMade: clientSecretMade(v, env),
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
      pages: v.RATE_LIMIT_PAGES,
      refresh: v.RATE_LIMIT_REFRESH,
    },
    flowInspector: v.FLOW_INSPECTOR,
    tour: v.TOUR,
    sandboxUrl: sandboxUrlOf(v),
    keepAliveMs: v.KEEP_ALIVE_S * 1000,
    drainDelayMs: v.DRAIN_DELAY_S * 1000,
    logLevel: v.LOG_LEVEL,
    metricsToken: secretOf(v.METRICS_TOKEN),
  };
}

/** The setting counts first: the time of a mounted file is that of its mount. */
function clientSecretMade(
  { GETBILL_CLIENT_SECRET_SINCE: since }: Values,
  env: Environment,
): SecretMade | undefined {
  if (since !== undefined) return { knownBy: 'setting', atMs: since };
  const file = fileOf('GETBILL_CLIENT_SECRET', env);
  if (file === undefined) return undefined;
  const atMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return atMs === undefined ? undefined : { knownBy: 'file', atMs };
}

function sandboxUrlOf({ FLOW_INSPECTOR, TOUR, GETBILL_AUTHORIZE_URL, GETBILL_BASE_URL }: Values) {
  const url = GETBILL_AUTHORIZE_URL ?? GETBILL_BASE_URL;
  return (FLOW_INSPECTOR || TOUR) && isLoopback(url) ? new URL('/', url) : undefined;
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
    passwordFile: fileOf('REDIS_PASSWORD', env),
    sentinelUsername: v.REDIS_SENTINEL_USERNAME,
    sentinelPassword: secretOf(v.REDIS_SENTINEL_PASSWORD),
    sentinelPasswordFile: fileOf('REDIS_SENTINEL_PASSWORD', env),
  };
}

function topologyOf(v: Values): [RedisConfig['topology'], readonly URL[]] {
  if (v.REDIS_SENTINELS.length > 0) return ['sentinel', v.REDIS_SENTINELS];
  if (v.REDIS_CLUSTER_NODES.length > 0) return ['cluster', v.REDIS_CLUSTER_NODES];
  return ['single', v.REDIS_URL === undefined ? [] : [v.REDIS_URL]];
}

const secretOf = (text: string | undefined): Secret | undefined =>
  text === undefined ? undefined : secret(text);

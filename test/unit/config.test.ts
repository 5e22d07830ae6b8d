/// <reference types="jest" />
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, parseEnv } from 'node:util';
import { parseConfig, type Config } from '../../src/config/config.js';
import { variables } from '../../src/config/variables.js';
import { ConfigError } from '../../src/errors.js';

type Env = Record<string, string | undefined>;

const CLIENT_SECRET = 'CANARY-client-secret-1';
const SESSION_SECRET = 'CANARY-session-secret-0123456789abcdef';
const KEY = Buffer.from('CANARY-token-encryption-key-0123').toString('base64');
const METRICS_TOKEN = 'CANARY-metrics-token-1';
const required = {
  GETBILL_CLIENT_ID: 'client-1',
  GETBILL_CLIENT_SECRET: CLIENT_SECRET,
  SESSION_SECRET,
  TOKEN_ENCRYPTION_KEY: KEY,
};
const production = {
  ...required,
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://connect.example.com',
  REDIS_URL: 'rediss://user:CANARY-redis-password@redis.internal:6380/2',
};

function errorOf(env: Env, readFile?: (path: string) => string): ConfigError | undefined {
  try {
    parseConfig(env, readFile);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

const problemsOf = (env: Env, readFile?: (path: string) => string): readonly string[] =>
  errorOf(env, readFile)?.problems ?? [];
const namesOf = (problems: readonly string[]): string[] =>
  problems.map((problem) => problem.split(' ')[0] ?? '');

/** The config with its secrets revealed and its URLs as text, so that two can be compared. */
function plain(value: unknown): unknown {
  if (value instanceof URL) return value.href;
  if (Buffer.isBuffer(value)) return value.toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  if ('reveal' in value) return plain((value as { reveal: () => unknown }).reveal());
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}

describe('parsing the environment', () => {
  it('names every missing variable at once, and how to get it', () => {
    const problems = problemsOf({});
    expect(namesOf(problems)).toEqual(Object.keys(required));
    expect(problems.join('\n')).toMatch(/GETBILL_CLIENT_ID is not set; .*dashboard/);
    expect(problems.join('\n')).toMatch(/SESSION_SECRET is not set; .*openssl rand -base64 32/);
  });

  it('treats a blank value as a missing one', () => {
    const blank = Object.fromEntries(Object.keys(required).map((name) => [name, ' \t']));
    expect(problemsOf(blank)).toEqual(problemsOf({}));
  });

  const faulty: Record<string, string> = {
    NODE_ENV: 'CANARY',
    PORT: 'CANARY',
    PUBLIC_URL: 'CANARY',
    TRUST_PROXY: 'true',
    GETBILL_CLIENT_ID: 'your_CANARY_here',
    GETBILL_CLIENT_SECRET: '<CANARY>',
    GETBILL_REDIRECT_URI: 'CANARY',
    GETBILL_SCOPES: '"CANARY"',
    GETBILL_BASE_URL: 'ftp://CANARY',
    GETBILL_AUTHORIZE_URL: 'CANARY',
    GETBILL_TOKEN_URL: 'javascript:CANARY',
    GETBILL_API_URL: '//CANARY',
    GETBILL_REVOKE_URL: 'CANARY',
    GETBILL_TLS_PINS: 'CANARY,CANARY',
    GETBILL_TLS_PINS_REPORT_ONLY: 'CANARY',
    GETBILL_TIMEOUT_MS: '1',
    SESSION_SECRET: 'CANARY-too-short',
    TOKEN_ENCRYPTION_KEY: 'CANARY',
    SESSION_IDLE_S: '0',
    SESSION_MAX_S: '1.5',
    REFRESH_MARGIN_S: '-1',
    REDIS_URL: 'http://CANARY',
    REDIS_CLUSTER_NODES: 'CANARY',
    REDIS_SENTINELS: 'CANARY',
    REDIS_ALLOW_INSECURE: 'CANARY',
    RATE_LIMIT_LOGIN: '0',
    RATE_LIMIT_CALLBACK: 'CANARY',
    RATE_LIMIT_API: '1e9',
    RATE_LIMIT_PAGES: '0',
    RATE_LIMIT_REFRESH: '-1',
    FLOW_INSPECTOR: 'CANARY',
    TOUR: 'CANARY',
    KEEP_ALIVE_S: 'CANARY',
    DRAIN_DELAY_S: 'CANARY',
    LOG_LEVEL: 'CANARY',
    METRICS_TOKEN: 'CANARY',
  };

  it('names every faulty variable at once, and never shows a value', () => {
    const error = errorOf(faulty);
    expect(namesOf(error?.problems ?? [])).toEqual(Object.keys(faulty));
    expect(inspect(error, { depth: null })).not.toContain('CANARY');
  });

  it.each(Object.keys(faulty))('refuses a malformed %s alone', (name) => {
    expect(namesOf(problemsOf({ ...required, [name]: faulty[name] }))).toContain(name);
  });

  it.each(['everyone', '*', '10.0.0.0/99', 'TRUE'])(
    'refuses TRUST_PROXY=%s, which is no address',
    (value) => {
      expect(namesOf(problemsOf({ ...required, TRUST_PROXY: value }))).toEqual(['TRUST_PROXY']);
    },
  );

  it.each([
    ['2', 2],
    ['10.0.0.0/8, ::1, loopback', ['10.0.0.0/8', '::1', 'loopback']],
  ])('takes TRUST_PROXY=%s', (value, trustProxy) => {
    expect(parseConfig({ ...required, TRUST_PROXY: value }).trustProxy).toEqual(trustProxy);
  });

  it.each([
    'your_client_id_here',
    'YOUR-ID',
    'changeme',
    'change_me',
    'placeholder',
    'example',
    'xxxx',
    '<id>',
  ])(
    'refuses the placeholder %s for the client id and both places of the client secret',
    (text) => {
      const problems = problemsOf({
        ...required,
        GETBILL_CLIENT_ID: text,
        GETBILL_CLIENT_SECRET: `good,${text}`,
      });
      expect(namesOf(problems)).toEqual(['GETBILL_CLIENT_ID', 'GETBILL_CLIENT_SECRET']);
      expect(problems.join()).toContain('placeholder');
    },
  );

  it('leaves values in their final types', () => {
    const config = parseConfig({
      ...required,
      GETBILL_CLIENT_SECRET: 'new-one, old-one',
      GETBILL_SCOPES: ' company:read  debts:read company:read',
      GETBILL_BASE_URL: 'https://getbill.test/',
      SESSION_IDLE_S: '60',
      REFRESH_MARGIN_S: '5',
      DRAIN_DELAY_S: '0',
      REDIS_URL: 'redis://localhost:6379',
    });
    expect(config.getbill.clientSecrets.map((item) => item.reveal())).toEqual([
      'new-one',
      'old-one',
    ]);
    expect(config.getbill.scopes).toEqual(['company:read', 'debts:read']);
    expect(config.getbill.tokenUrl.href).toBe('https://getbill.test/oauth/token');
    expect(config.getbill.authorizeUrl.href).toBe('https://getbill.test/oauth/authorize');
    expect(config.getbill.apiUrl.href).toBe('https://getbill.test/external-api/v1');
    expect(config.session.idleMs).toBe(60_000);
    expect(config.refreshMarginMs).toBe(5_000);
    expect(config.drainDelayMs).toBe(0);
    expect(config.redis?.topology).toBe('single');
  });

  it('[A08] asks for company:read alone unless told otherwise', () => {
    expect(parseConfig(required).getbill.scopes).toEqual(['company:read']);
  });

  it('makes the redirect URI from PUBLIC_URL and the port', () => {
    expect(parseConfig({ ...required, PORT: '3456' }).getbill.redirectUri).toBe(
      'http://localhost:3456/oauth/callback',
    );
    expect(parseConfig(production).getbill.redirectUri).toBe(
      'https://connect.example.com/oauth/callback',
    );
  });

  it('is frozen all the way down', () => {
    const loose: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return;
      if (!Object.isFrozen(value)) loose.push(path);
      for (const [name, inner] of Object.entries(value)) visit(inner, `${path}.${name}`);
    };
    visit(parseConfig(production), 'config');
    expect(loose).toEqual([]);
  });

  it.each<[string, (config: Config) => string]>([
    ['inspect', (config) => inspect(config, { depth: null, showHidden: true })],
    ['JSON', (config) => JSON.stringify(config)],
    ['String', (config) => [config.session.secrets, config.tokenEncryptionKeys, config.metricsToken, ...config.getbill.clientSecrets].map(String).join()], // prettier-ignore
  ])('shows no secret through %s', (_name, show) => {
    const shown = show(parseConfig({ ...production, METRICS_TOKEN }));
    for (const value of [
      CLIENT_SECRET,
      SESSION_SECRET,
      KEY,
      Buffer.from(KEY, 'base64').toString('hex'),
      METRICS_TOKEN,
      'CANARY',
    ]) {
      expect(shown).not.toContain(value);
    }
    expect(shown).toContain('[secret]');
  });
});

describe('the proxy to GetBill', () => {
  const proxyOf = (env: Env) => {
    const { http, https, except } = parseConfig({ ...required, ...env }).getbill.proxy;
    return { http: http?.reveal(), https: https?.reveal(), except };
  };

  it('is read in either case, the lower one first, as undici does', () => {
    expect(proxyOf({ HTTPS_PROXY: 'http://upper.test:1', no_proxy: 'a.test' })).toEqual({
      http: undefined,
      https: 'http://upper.test:1/',
      except: 'a.test',
    });
    expect(
      proxyOf({ HTTP_PROXY: 'http://upper.test:1', http_proxy: 'http://lower.test:1' }).http,
    ).toBe('http://lower.test:1/');
    expect(proxyOf({ HTTPS_PROXY: 'http://upper.test:1', https_proxy: '' }).https).toBeUndefined();
  });

  it.each([
    'proxy.test:3128',
    '//proxy.test',
    'socks5://proxy.test',
    'http://CANARY:pass word@[proxy',
  ])('is a problem by name, without its value: %s', (value) => {
    for (const name of ['HTTPS_PROXY', 'http_proxy']) {
      const error = problemsOf({ ...required, [name]: value });
      expect(error).toEqual([
        expect.stringContaining(`${name.toUpperCase()} must be a URL starting with`),
      ]);
      expect(error.join()).not.toContain(value);
    }
  });
});

describe('values from files', () => {
  const values: Record<string, string> = {
    NODE_ENV: 'test',
    HOST: '0.0.0.0',
    PORT: '3456',
    PUBLIC_URL: 'http://127.0.0.1:3000',
    TRUST_PROXY: '2',
    HSTS: 'subdomains',
    GETBILL_CLIENT_ID: 'from-file',
    GETBILL_CLIENT_SECRET: 'from-file,old',
    GETBILL_CLIENT_SECRET_SINCE: '2026-01-31',
    GETBILL_REDIRECT_URI: 'http://localhost:3000/oauth/callback',
    GETBILL_SCOPES: 'debts:read',
    GETBILL_BASE_URL: 'https://other.test',
    GETBILL_AUTHORIZE_URL: 'https://other.test/a',
    GETBILL_TOKEN_URL: 'https://other.test/t',
    GETBILL_API_URL: 'https://other.test/v1',
    GETBILL_REVOKE_URL: 'https://other.test/r',
    GETBILL_ISSUER: 'https://other.test',
    GETBILL_CA_FILE: '/etc/ca.pem',
    GETBILL_TLS_PINS: `${'A'.repeat(43)}=,${'B'.repeat(43)}=`,
    GETBILL_TLS_PINS_REPORT_ONLY: 'true',
    GETBILL_TIMEOUT_MS: '500',
    HTTPS_PROXY: 'http://proxy.test:3128',
    HTTP_PROXY: 'http://proxy.test:3129',
    NO_PROXY: 'direct.test',
    GETBILL_WEBHOOK_SECRET: 'CANARY-webhook-secret,CANARY-older-webhook-secret',
    GETBILL_WEBHOOK_COMPANY: 'other-company',
    GETBILL_WEBHOOK_ENDPOINTS:
      'second company-2 CANARY-second-webhook, third company-3 CANARY-third-webhook',
    GETBILL_WEBHOOK_ID_FIELD: 'meta.id',
    GETBILL_WEBHOOK_TIME_FIELD: 'created_at',
    GETBILL_WEBHOOK_REPLICAS: '1',
    SESSION_SECRET: 'f'.repeat(32),
    TOKEN_ENCRYPTION_KEY: Buffer.alloc(32, 9).toString('base64'),
    SESSION_IDLE_S: '60',
    SESSION_MAX_S: '3600',
    REFRESH_MARGIN_S: '5',
    REDIS_URL: 'redis://localhost:6379',
    REDIS_CLUSTER_NODES: 'redis://a:1,redis://b:2',
    REDIS_SENTINELS: 'redis://a:1,redis://b:2',
    REDIS_SENTINEL_NAME: 'other',
    REDIS_SENTINEL_USERNAME: 'watcher',
    REDIS_SENTINEL_PASSWORD: 'CANARY-sentinel-password',
    REDIS_PASSWORD: 'CANARY-redis-password',
    REDIS_PREFIX: 'other:',
    REDIS_CA_FILE: '/etc/redis-ca.pem',
    REDIS_ALLOW_INSECURE: 'true',
    RATE_LIMIT_LOGIN: '1',
    RATE_LIMIT_CALLBACK: '2',
    RATE_LIMIT_API: '3',
    RATE_LIMIT_PAGES: '5',
    RATE_LIMIT_REFRESH: '4',
    FLOW_INSPECTOR: 'true',
    TOUR: 'true',
    GETBILL_ALLOW_HTTP_HOSTS: 'sandbox',
    KEEP_ALIVE_S: '1',
    DRAIN_DELAY_S: '1',
    LOG_LEVEL: 'warn',
    METRICS_TOKEN: 'm'.repeat(16),
  };
  // A file that names a certificate needs no file that names that file.
  const fileForms = Object.keys(variables).filter((name) => !name.endsWith('_FILE'));
  // What only shows next to Redis.
  const beside = /^REDIS_(SENTINEL_|PASSWORD|PREFIX)/;
  // Without effect where webhooks are off.
  const pair = /^GETBILL_WEBHOOK_(?!ENDPOINTS)/;
  // Read again at every connection, so the file itself is part of the configuration.
  const rereadFiles = /^REDIS_(SENTINEL_)?PASSWORD$/;

  it('can be given for every variable', () => {
    expect(Object.keys(values)).toEqual(Object.keys(variables));
  });

  it.each(fileForms)('reads %s from the file that its _FILE form names', (name) => {
    const env: Env = {
      ...required,
      ...(beside.test(name) && { REDIS_SENTINELS: 'redis://a:1' }),
      ...(pair.test(name) && {
        GETBILL_WEBHOOK_SECRET: 'w'.repeat(16),
        GETBILL_WEBHOOK_COMPANY: 'company',
      }),
    };
    const readFile = (path: string): string =>
      path === '/run/secrets/it' ? `${values[name] ?? ''}\n` : '';
    const fromFile = plain(parseConfig({ ...env, [`${name}_FILE`]: '/run/secrets/it' }, readFile));
    if (!rereadFiles.test(name)) {
      expect(fromFile).toEqual(plain(parseConfig({ ...env, [name]: values[name] })));
    }
    // Two variables have no trace where they say what holds anyway.
    if (
      ![
        'PUBLIC_URL',
        'GETBILL_REDIRECT_URI',
        'GETBILL_ALLOW_HTTP_HOSTS',
        'REDIS_ALLOW_INSECURE',
      ].includes(name)
    ) {
      expect(fromFile).not.toEqual(plain(parseConfig(env)));
    }
  });

  it('reads a real file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gb-config-'));
    try {
      const path = join(folder, 'secret');
      writeFileSync(path, `${SESSION_SECRET}\n`);
      const config = parseConfig({
        ...required,
        SESSION_SECRET: undefined,
        SESSION_SECRET_FILE: path,
      });
      expect(config.session.secrets.reveal()).toEqual([SESSION_SECRET]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('names the variable of a file that cannot be read, and not the path', () => {
    const problems = problemsOf({
      ...required,
      SESSION_SECRET: undefined,
      SESSION_SECRET_FILE: '/nowhere/CANARY',
    });
    expect(problems.join('\n')).toContain('SESSION_SECRET_FILE names a file that cannot be read');
    expect(problems.join('\n')).not.toContain('CANARY');
  });
});

describe('rules between variables', () => {
  it.each([
    'GETBILL_BASE_URL',
    'GETBILL_AUTHORIZE_URL',
    'GETBILL_TOKEN_URL',
    'GETBILL_API_URL',
    'GETBILL_REVOKE_URL',
  ])(
    '[B04] refuses %s over http, in development too, except on loopback or for a host that is named',
    (name) => {
      expect(namesOf(problemsOf({ ...required, [name]: 'http://getbill.test' }))).toEqual([name]);
      expect(problemsOf({ ...required, [name]: 'http://localhost:4000' })).toEqual([]);
      expect(problemsOf({ ...required, [name]: 'http://sandbox:4000', GETBILL_ALLOW_HTTP_HOSTS: 'sandbox' })).toEqual([]); // prettier-ignore
      expect(problemsOf({ ...production, [name]: 'http://127.0.0.1:4000' })).toEqual([]);
    },
  );

  it.each([
    ['http://localhost:3000', 'http://127.0.0.1:3000/oauth/callback'],
    ['http://127.0.0.1:3000', 'http://localhost:3000/oauth/callback'],
    ['http://localhost:3000', 'http://localhost:3001/oauth/callback'],
    ['http://localhost:3000', 'https://localhost:3000/oauth/callback'],
    ['http://localhost:3000', 'http://localhost:3000/oauth/callback/'],
    ['http://localhost:3000', 'http://localhost:3000/callback'],
    ['http://localhost:3000', 'http://LOCALHOST:3000/oauth/callback'],
  ])('refuses, at %s, the redirect URI %s', (publicUrl, redirectUri) => {
    const problems = problemsOf({
      ...required,
      PUBLIC_URL: publicUrl,
      GETBILL_REDIRECT_URI: redirectUri,
    });
    expect(namesOf(problems)).toEqual(['GETBILL_REDIRECT_URI']);
  });

  it('refuses an idle time longer than the whole lifetime', () => {
    expect(namesOf(problemsOf({ ...required, SESSION_IDLE_S: '61', SESSION_MAX_S: '60' }))).toEqual(
      ['SESSION_IDLE_S'],
    );
  });

  it('refuses two kinds of Redis at once', () => {
    const two = { ...required, REDIS_URL: 'redis://a', REDIS_SENTINELS: 'redis://b' };
    expect(problemsOf(two).join()).toContain('exclude one another');
  });

  it.each(['REDIS_CLUSTER_NODES', 'REDIS_SENTINELS'])(
    'refuses a user or password in %s that would be ignored, as those of the first URL serve for all',
    (name) => {
      for (const urls of [
        'redis://a,redis://:CANARY@b',
        'redis://:p@a,redis://:CANARY@b',
        'redis://app:p@a,redis://b,redis://CANARY:p@c',
      ]) {
        const problems = problemsOf({ ...required, [name]: urls });
        expect(problems).toEqual([expect.stringContaining(`${name} holds a user or password`)]);
        expect(problems.join()).not.toContain('CANARY');
      }
    },
  );

  it.each(['REDIS_CLUSTER_NODES', 'REDIS_SENTINELS'])(
    'refuses redis:// beside rediss:// in %s, of which only that of the first would count',
    (name) => {
      for (const urls of ['redis://a,rediss://b', 'rediss://a,rediss://b,redis://c'])
        expect(problemsOf({ ...required, [name]: urls })).toEqual([
          `${name} has redis:// and rediss:// in one list; write the same for all`,
        ]);
    },
  );

  it.each([
    [
      'REDIS_PASSWORD',
      'p',
      'none of REDIS_URL, REDIS_CLUSTER_NODES, REDIS_SENTINELS is; set one of them',
    ],
    [
      'REDIS_CA_FILE',
      'ca.pem',
      'none of REDIS_URL, REDIS_CLUSTER_NODES, REDIS_SENTINELS is; set one of them',
    ],
    ['REDIS_SENTINEL_PASSWORD', 'p', 'REDIS_SENTINELS is not; set that'],
    [
      'GETBILL_WEBHOOK_ID_FIELD',
      'data.id',
      'none of GETBILL_WEBHOOK_SECRET, GETBILL_WEBHOOK_ENDPOINTS is; set one of them',
    ],
    [
      'GETBILL_WEBHOOK_REPLICAS',
      '1',
      'none of GETBILL_WEBHOOK_SECRET, GETBILL_WEBHOOK_ENDPOINTS is; set one of them',
    ],
  ])('names %s that is set in vain', (name, value, missing) => {
    expect(problemsOf({ ...required, [name]: value })).toEqual([
      `${name} is set, but ${missing}, or unset this`,
    ]);
    const faulty = {
      REDIS_URL: 'nowhere',
      REDIS_SENTINELS: 'nowhere',
      GETBILL_WEBHOOK_SECRET: 's',
    };
    expect(namesOf(problemsOf({ ...required, ...faulty, [name]: value }))).not.toContain(name);
  });

  it('[A16] refuses a PUBLIC_URL with a path', () => {
    expect(namesOf(problemsOf({ ...required, PUBLIC_URL: 'http://localhost:3000/app' }))).toEqual([
      'PUBLIC_URL',
    ]);
  });

  it.each(['SESSION_SECRET', 'TOKEN_ENCRYPTION_KEY'] as const)(
    '[C13] refuses a short old entry in %s',
    (name) => {
      expect(namesOf(problemsOf({ ...required, [name]: `${required[name]},c2hvcnQ=` }))).toEqual([
        name,
      ]);
    },
  );

  it('[C13] takes a list of secrets and keys, in order', () => {
    const old = 'o'.repeat(32);
    const oldKey = Buffer.alloc(32, 1);
    const config = parseConfig({
      ...required,
      SESSION_SECRET: `${SESSION_SECRET},${old}`,
      TOKEN_ENCRYPTION_KEY: `${KEY}, ${oldKey.toString('base64')}`,
    });
    expect(config.session.secrets.reveal()).toEqual([SESSION_SECRET, old]);
    expect(config.tokenEncryptionKeys.reveal()).toEqual([Buffer.from(KEY, 'base64'), oldKey]);
  });

  it('needs at least two pins', () => {
    expect(namesOf(problemsOf({ ...required, GETBILL_TLS_PINS: `${'A'.repeat(43)}=` }))).toEqual([
      'GETBILL_TLS_PINS',
    ]);
  });
});

describe('the production invariants', () => {
  it('let a sound environment pass', () => {
    const config = parseConfig(production);
    expect(config.production).toBe(true);
    expect(config.developerPages).toBe(false);
  });

  it.each<[string, Env, string]>([
    ['[B04] a PUBLIC_URL over http', { PUBLIC_URL: 'http://connect.example.com' }, 'PUBLIC_URL'],
    ['no PUBLIC_URL at all', { PUBLIC_URL: undefined }, 'PUBLIC_URL'],
    ['[C12] no Redis', { REDIS_URL: undefined }, 'REDIS_URL'],
    ['[B05] Redis without TLS', { REDIS_URL: 'redis://:password@redis.internal' }, 'REDIS_URL'],
    ['[B05] Redis without a password', { REDIS_URL: 'rediss://redis.internal' }, 'REDIS_URL'],
    ['[B05] Sentinels without a password', { REDIS_URL: undefined, REDIS_SENTINELS: 'rediss://a' }, 'REDIS_SENTINELS'], // prettier-ignore
    [
      'a name for Sentinels without Sentinels',
      { REDIS_SENTINEL_USERNAME: 'watcher' },
      'REDIS_SENTINEL_USERNAME',
    ],
    [
      'a password for Sentinels without Sentinels',
      { REDIS_SENTINEL_PASSWORD: 'p' },
      'REDIS_SENTINEL_PASSWORD',
    ],
    ['two passwords for Redis', { REDIS_PASSWORD: 'p' }, 'REDIS_PASSWORD'],
    ['a prefix that an ACL pattern or a Cluster would read as something else', { REDIS_PREFIX: '{a}*' }, 'REDIS_PREFIX'], // prettier-ignore
    [
      'a bare % in the password of Redis',
      { REDIS_URL: 'rediss://:100%@redis.internal' },
      'REDIS_URL',
    ],
    ['[B05] a Cluster with TLS in part', { REDIS_URL: undefined, REDIS_CLUSTER_NODES: 'rediss://:p@a,redis://:p@b' }, 'REDIS_CLUSTER_NODES'], // prettier-ignore
    ['[B05] a Cluster without TLS', { REDIS_URL: undefined, REDIS_CLUSTER_NODES: 'redis://:p@a,redis://:p@b' }, 'REDIS_CLUSTER_NODES'], // prettier-ignore
    [
      '[B05] Sentinels without TLS',
      { REDIS_URL: undefined, REDIS_SENTINELS: 'redis://:p@a' },
      'REDIS_SENTINELS',
    ],
    [
      '[B04] certificate checks switched off',
      { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
      'NODE_TLS_REJECT_UNAUTHORIZED=0',
    ],
    ['TRUST_PROXY=true', { TRUST_PROXY: 'true' }, 'TRUST_PROXY'],
    ['the flow inspector', { FLOW_INSPECTOR: 'true' }, 'FLOW_INSPECTOR'],
    ['the tour', { TOUR: 'true' }, 'TOUR'],
    [
      'hosts that may be called over http',
      { GETBILL_ALLOW_HTTP_HOSTS: 'sandbox' },
      'GETBILL_ALLOW_HTTP_HOSTS',
    ],
    ['a redirect URI elsewhere', { GETBILL_REDIRECT_URI: 'https://other.example.com/oauth/callback' }, 'GETBILL_REDIRECT_URI'], // prettier-ignore
    ['a redirect URI over http', { GETBILL_REDIRECT_URI: 'http://connect.example.com/oauth/callback' }, 'GETBILL_REDIRECT_URI'], // prettier-ignore
  ])('refuse %s', (_what, change, name) => {
    expect(namesOf(problemsOf({ ...production, ...change }))).toEqual([name]);
  });

  it('hold for any PUBLIC_URL that is not loopback, whatever NODE_ENV says', () => {
    const env = { ...production, NODE_ENV: 'development', REDIS_URL: undefined };
    expect(namesOf(problemsOf(env))).toEqual(['REDIS_URL']);
    expect(parseConfig({ ...production, NODE_ENV: undefined }).production).toBe(true);
  });

  it.each([
    'http://localhost:3000',
    'http://127.0.0.1:3000',
    'http://127.1.2.3:3000',
    'http://[::1]:3000',
  ])('do not hold for %s in development', (publicUrl) => {
    expect(parseConfig({ ...required, PUBLIC_URL: publicUrl }).production).toBe(false);
  });

  it.each([
    'https://localhost.example.com',
    'https://127.0.0.1.example.com',
    'https://192.168.1.2',
  ])('hold for %s, which only looks like loopback', (publicUrl) => {
    expect(
      parseConfig({ ...production, NODE_ENV: 'development', PUBLIC_URL: publicUrl }).production,
    ).toBe(true);
  });

  it.each(['REDIS_CLUSTER_NODES', 'REDIS_SENTINELS'])(
    'take the password of the first URL in %s, or REDIS_PASSWORD, for all',
    (name) => {
      const of = (urls: string, more: Env = {}): readonly string[] =>
        problemsOf({ ...production, REDIS_URL: undefined, [name]: urls, ...more });
      const inFile = { REDIS_PASSWORD_FILE: '/run/secrets/it' };
      const readFile = (): string => 'CANARY-redis-password\n';
      const bare = { ...production, REDIS_URL: undefined, [name]: 'rediss://app@n1,rediss://n2' };

      expect(of('rediss://app:pw@n1:6379,rediss://n2:6379')).toEqual([]);
      expect(of('rediss://app:pw@n1,rediss://app:pw@n2')).toEqual([]);
      expect(of('rediss://app@n1,rediss://n2', { REDIS_PASSWORD: 'pw' })).toEqual([]);
      expect(problemsOf({ ...bare, ...inFile }, readFile)).toEqual([]);
      expect(namesOf(problemsOf(bare))).toEqual([name]);
      expect(namesOf(of('rediss://app:pw@n1,redis://n2'))).toEqual([name]);
    },
  );

  it('[B05] let Redis go without TLS and password only when told so', () => {
    const open = { ...production, REDIS_URL: 'redis://redis.internal' };
    expect(namesOf(problemsOf(open))).toEqual(['REDIS_URL']);
    expect(problemsOf({ ...open, REDIS_ALLOW_INSECURE: 'true' })).toEqual([]);
  });
});

describe('.env.example', () => {
  const text = readFileSync('.env.example', 'utf8');
  const example = parseEnv(text) as Env;

  it('lists exactly the variables there are, in their order', () => {
    const names = Array.from(text.matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm), ([, name]) => name);
    expect(names).toEqual(Object.keys(variables));
  });

  it('says what is still to be filled in, and nothing else', () => {
    expect(namesOf(problemsOf(example))).toEqual(Object.keys(required));
  });

  it('parses with the four required values filled in, and shows the defaults', () => {
    expect(plain(parseConfig({ ...example, ...required }))).toEqual(plain(parseConfig(required)));
  });

  it('parses with every optional line switched on that shows a value', () => {
    const all = parseEnv(text.replace(/^#([A-Z][A-Z0-9_]*=)/gm, '$1')) as Env;
    expect(problemsOf({ ...all, ...required, PUBLIC_URL: undefined })).toEqual([]); // public, it asks for more
  });
});

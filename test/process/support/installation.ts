import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Faults } from '../../../sandbox/faults.js';
import { defaultClientId, defaultClientSecret, startSandbox, type Sandbox } from '../../../sandbox/sandbox.js';
import type { AppEvent } from '../../../src/events.js';
import { createBrowser } from '../../support/browser.js';
import { startRedis, type RedisServer } from '../../support/redis-server.js';
import { buildApp } from './app-build.js';
import { startAppProcess, type AppProcess, type AuditLine } from './app-process.js';
import { startRedisProxy, withoutProxy } from './redis-proxy.js';
import { createVisitor, type Visitor } from './visitor.js';

const PUBLIC_URL = 'https://connect.example';

/** Several processes of the app in production mode, one Redis, one sandbox GetBill: what an operator runs. */
export interface Installation {
  apps: readonly [AppProcess, AppProcess, ...AppProcess[]];
  redis: RedisServer;
  sandbox: Sandbox;
  /** The audit lines of all processes. */
  audit<T extends AppEvent['type']>(type: T): AuditLine<T>[];
  signIn(options?: { company?: string }): Promise<Visitor>;
  /** A browser without cookies. */
  stranger: Visitor;
  close(): Promise<void>;
}

/** @param redisProxies one per process, for tests that hold or fail single commands. */
export async function startInstallation({
  processes = 2,
  redisProxies = false,
  env = {},
  faults = {},
}: {
  processes?: number;
  redisProxies?: boolean;
  env?: Record<string, string>;
  faults?: Partial<Faults>;
} = {}): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), 'gb-logs-'));
  const build = buildApp();
  const redis = await startRedis();
  const sandbox = await startSandbox({
    redirectUris: [`${PUBLIC_URL}/oauth/callback`],
    faults: { limitReads: 1_000_000, limitWrites: 1_000_000, ...faults },
  });
  const start = async (_: unknown, index: number): Promise<AppProcess> => {
    const proxy = redisProxies ? await startRedisProxy(redis) : withoutProxy(redis);
    const settings = { ...environment(sandbox), REDIS_URL: proxy.url, ...env };
    return await startAppProcess({ main: build.main, name: `app${index + 1}`, env: settings, redis: proxy, folder });
  };
  const apps = await Promise.all(Array.from({ length: processes }, start));
  const [first, second, ...others] = apps;
  if (first === undefined || second === undefined) throw new Error('an installation has at least two processes');

  return {
    apps: [first, second, ...others],
    redis,
    sandbox,
    audit: (type) => apps.flatMap((app) => app.audit(type)),
    async signIn(options = {}) {
      const browser = createBrowser({ origin: first.origin, publicUrl: PUBLIC_URL });
      const { status, text } = await browser.signIn(options);
      if (status !== 303) throw new Error(`sign-in ended with ${status}: ${text}`);
      return createVisitor({ host: new URL(PUBLIC_URL).host, cookies: browser.cookies });
    },
    stranger: createVisitor({ host: new URL(PUBLIC_URL).host, cookies: new Map() }),
    async close() {
      for (const app of apps) app.signal('SIGKILL'); // also ends one that is stopped
      await Promise.all(apps.map((app) => app.exited));
      await Promise.all(apps.map((app) => app.redis.close()));
      await sandbox.close();
      await redis.close();
      build.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const environment = (sandbox: Sandbox): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  NODE_ENV: 'production',
  PORT: '0',
  PUBLIC_URL,
  TRUST_PROXY: '1',
  REDIS_ALLOW_INSECURE: 'true',
  GETBILL_BASE_URL: sandbox.origin,
  GETBILL_CLIENT_ID: defaultClientId,
  GETBILL_CLIENT_SECRET: defaultClientSecret,
  GETBILL_SCOPES: 'company:read debts:read followups:read followups:write',
  GETBILL_TIMEOUT_MS: '1000', // so that a lease lives four seconds
  SESSION_SECRET: 'process-test-session-secret-0123456789',
  TOKEN_ENCRYPTION_KEY: Buffer.alloc(32, 9).toString('base64'),
  RATE_LIMIT_LOGIN: '1000000',
  RATE_LIMIT_CALLBACK: '1000000',
  RATE_LIMIT_API: '1000000',
  RATE_LIMIT_REFRESH: '1000000',
  DRAIN_DELAY_S: '0',
});

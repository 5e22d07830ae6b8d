import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Faults } from '../../../sandbox/faults.js';
import { defaultClientSecret, startSandbox, type Sandbox } from '../../../sandbox/sandbox.js';
import type { AppEvent } from '../../../src/events.js';
import { createBrowser } from '../../support/browser.js';
import { startRedis, type RedisServer } from '../../support/redis-server.js';
import { buildApp } from './app-build.js';
import { startAppProcess, type AppProcess, type AuditLine } from './app-process.js';
import { CLIENT_SECRET, environment, PUBLIC_URL } from './environment.js';
import { startRedisProxy, withoutProxy, type RedisProxy } from './redis-proxy.js';
import { createVisitor, type Visitor } from './visitor.js';

/** What an operator runs: several processes of the app, one Redis; and a sandbox GetBill. */
export interface Installation<Name extends string = string> {
  apps: Readonly<Record<Name, AppProcess>>;
  all: readonly AppProcess[];
  redis: RedisServer;
  sandbox: Sandbox;
  /** The audit lines of all processes. */
  audit<T extends AppEvent['type']>(type: T): Promise<AuditLine<T>[]>;
  signIn(options?: { at?: AppProcess; company?: string }): Promise<Visitor>;
  /** A browser without cookies. */
  stranger: Visitor;
  /** One process more, with these settings in addition; resolves when it listens. */
  start(name: string, env?: Record<string, string>): Promise<AppProcess>;
  close(): Promise<void>;
}

export interface InstallationOptions<Name extends string> {
  processes: readonly Name[];
  /** In addition to `environment`, for each process. */
  env?: (context: { name: Name; getbill: string }) => Record<string, string>;
  faults?: Partial<Faults>;
  /** Other texts for files of `src/`, by their path there. */
  replaced?: Readonly<Record<string, string>>;
  /** The processes whose Redis commands the test holds or fails. */
  redisProxies?: readonly Name[];
}

export async function startInstallation<const Name extends string>({
  processes,
  env = () => ({}),
  faults = {},
  redisProxies = [],
  replaced = {},
}: InstallationOptions<Name>): Promise<Installation<Name>> {
  const folder = mkdtempSync(join(tmpdir(), 'gb-logs-'));
  const build = buildApp(replaced);
  const redis = await startRedis();
  const sandbox = await startSandbox({
    redirectUris: [`${PUBLIC_URL}/oauth/callback`],
    clientSecrets: [CLIENT_SECRET, defaultClientSecret],
    faults: { limitReads: 1_000_000, limitWrites: 1_000_000, ...faults },
  });
  const proxies: RedisProxy[] = [];
  const all: AppProcess[] = [];

  async function start(name: Name, more: Record<string, string> = {}): Promise<AppProcess> {
    const proxy = redisProxies.includes(name) ? await startRedisProxy(redis) : withoutProxy(redis);
    proxies.push(proxy);
    const given = { ...env({ name, getbill: sandbox.origin }), ...more };
    const settings = { ...environment(sandbox), REDIS_URL: proxy.url, ...given };
    const app = startAppProcess({ main: build.main, name, env: settings, redis: proxy, folder });
    all.push(app);
    return app;
  }
  async function close(): Promise<void> {
    for (const app of all) app.signal('SIGKILL'); // also ends one that is stopped
    await Promise.all(all.map(({ exited }) => exited));
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await sandbox.close();
    await redis.close();
    build.remove();
    rmSync(folder, { recursive: true, force: true });
  }

  try {
    for (const name of processes) await start(name);
    await Promise.all(all.map((app) => app.untilListening()));
  } catch (error) {
    await close();
    throw error;
  }
  const apps = Object.fromEntries(all.map((app) => [app.name, app])) as Record<Name, AppProcess>;

  return {
    apps,
    all,
    redis,
    sandbox,
    audit: async (type) => (await Promise.all(all.map((app) => app.audit(type)))).flat(),
    async signIn({ at, ...choice } = {}) {
      const [app = at] = at === undefined ? all : [at];
      if (app === undefined) throw new Error('no process to sign in at');
      const browser = createBrowser({ origin: app.origin, publicUrl: PUBLIC_URL });
      const { status, text } = await browser.signIn(choice);
      if (status !== 303) throw new Error(`sign-in ended with ${status}: ${text}`);
      const grant = (await app.audit('login_completed')).at(-1)?.grant ?? '';
      return createVisitor({ host: new URL(PUBLIC_URL).host, cookies: browser.cookies, grant });
    },
    stranger: createVisitor({ host: new URL(PUBLIC_URL).host, cookies: new Map() }),
    async start(name, more) {
      const app = await start(name as Name, more);
      await app.untilListening();
      return app;
    },
    close,
  };
}

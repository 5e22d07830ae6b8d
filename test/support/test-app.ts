import { hash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { createApp } from '../../src/app.js';
import { parseConfig } from '../../src/config/config.js';
import type { AppEvent } from '../../src/events.js';
import { createServices, type Services } from '../../src/services.js';
import {
  defaultClientId,
  defaultClientSecret,
  startSandbox,
  type Sandbox,
} from '../../sandbox/sandbox.js';
import type { Faults } from '../../sandbox/faults.js';
import { createBrowser, type Browser } from './browser.js';

export const SESSION_SECRET = 'CANARY-session-secret-0123456789abcdef';
export const TOKEN_ENCRYPTION_KEY = hash('sha256', 'the key of the tests', 'base64');

/** Of the client at the sandbox; production refuses the one that the sandbox's source names. */
export const CLIENT_SECRET = 'CANARY-client-secret-of-the-tests';

export interface TestApp {
  /** What browsers see, PUBLIC_URL; with `https` the harness plays the TLS proxy in front. */
  publicUrl: string;
  /** Where it really listens. */
  origin: string;
  sandbox: Sandbox;
  services: Services;
  events: AppEvent[];
  /** Everything it logged. */
  logged(): string;
  browser(): Browser;
  clock: { skipMs(ms: number): void };
  close(): Promise<void>;
}

export interface TestAppOptions {
  env?: Record<string, string>;
  faults?: Partial<Faults>;
  /** Production mode behind a TLS-terminating proxy. */
  https?: boolean;
  /** Wraps a service before the app is built, to make it fail. */
  wrap?: (services: Services) => Services;
  sandbox?: Sandbox;
  /** Where a sandbox was told to find it; any free one else. */
  port?: number;
}

/** The app as production builds it, a sandbox GetBill of its own, and a clock that can be moved. */
export async function startTestApp({
  env = {},
  faults = {},
  https = false,
  wrap,
  sandbox: given,
  port: givenPort = 0,
}: TestAppOptions = {}): Promise<TestApp> {
  let skippedMs = 0;
  const now = (): number => Date.now() + skippedMs;
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(givenPort, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  const publicUrl =
    env['PUBLIC_URL'] ?? (https ? 'https://connect.example' : `http://localhost:${port}`);
  const redirectUri = `${publicUrl}/oauth/callback`;
  const sandbox =
    given ??
    (await startSandbox({
      redirectUris: [redirectUri],
      faults: { consent: 'auto', ...faults },
      now,
    }));
  sandbox.control.addRedirectUri(redirectUri);
  if (https) sandbox.control.setClientSecrets([CLIENT_SECRET, defaultClientSecret]);

  const lines: string[] = [];
  const logTo = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const config = parseConfig({
    NODE_ENV: https ? 'production' : 'test',
    PORT: String(port),
    PUBLIC_URL: publicUrl,
    ...(https && { TRUST_PROXY: '1', REDIS_ALLOW_INSECURE: 'true' }),
    GETBILL_CLIENT_ID: defaultClientId,
    GETBILL_CLIENT_SECRET: https ? CLIENT_SECRET : defaultClientSecret,
    GETBILL_BASE_URL: sandbox.origin,
    GETBILL_SCOPES: 'company:read debts:read followups:read',
    GETBILL_TIMEOUT_MS: '2000',
    SESSION_SECRET,
    TOKEN_ENCRYPTION_KEY,
    RATE_LIMIT_LOGIN: '100000',
    RATE_LIMIT_CALLBACK: '100000',
    RATE_LIMIT_API: '100000',
    RATE_LIMIT_PAGES: '100000',
    LOG_LEVEL: 'trace',
    ...env,
  });
  const real = await createServices(config, { now, logTo });
  const services = wrap?.(real) ?? real;
  const events: AppEvent[] = [];
  services.subscribe((event) => void events.push(event));
  const app = createApp(services, { isReady: () => services.isStorageReady() }); // prettier-ignore
  server.on('request', app);
  const origin = `http://127.0.0.1:${port}`;

  return {
    publicUrl,
    origin,
    sandbox,
    services,
    events,
    logged: () => lines.join(''),
    browser: () => createBrowser({ origin, publicUrl }),
    clock: { skipMs: (ms) => void (skippedMs += ms) },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await real.close();
      if (given === undefined) await sandbox.close();
    },
  };
}

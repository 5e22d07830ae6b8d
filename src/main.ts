import { once } from 'node:events';
import { createServer, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createApp } from './app.js';
import { parseConfig, type Config } from './config/config.js';
import { ConfigError } from './errors.js';
import { createServices, type Services } from './services.js';

async function main(): Promise<void> {
  const config = parseConfig(process.env);
  const services = await createServices(config, { now: Date.now, monotonicMs: () => performance.now() });
  const { log } = services;
  let stopping = false;
  const isReady = async (): Promise<boolean> => !stopping && (await services.isStorageReady());

  const server = createServer(LIMITS, createApp(services, { isReady }));
  const underWay = trackAnswers(server);
  await listen(server, config);
  const { port } = server.address() as AddressInfo; // the real one, also for PORT=0
  log.info(
    { url: config.publicUrl.href, port, storage: config.redis?.topology ?? 'memory', pid: process.pid },
    'listening',
  );

  async function stop(signal: string): Promise<void> {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    await drain(server, underWay, config);
    await services.close();
    log.info('stopped');
    process.exit(0);
  }
  process.once('SIGTERM', (signal) => void stop(signal));
  process.once('SIGINT', (signal) => void stop(signal));
  exitOnBug(services);
}

/** Slow or oversized requests end here (408, 431), before any of our code. Milliseconds and bytes. */
const LIMITS: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 25_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 65_000, // longer than a load balancer keeps an idle connection
  maxHeaderSize: 16_384,
};

function listen(server: Server, { host, port }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
}

function trackAnswers(server: Server): ReadonlySet<ServerResponse> {
  const underWay = new Set<ServerResponse>();
  server.on('request', (_req, res) => {
    underWay.add(res);
    res.once('close', () => underWay.delete(res));
  });
  return underWay;
}

/** Serves on while the load balancer notices, with `Connection: close`; then takes no more and finishes what is under way. */
async function drain(
  server: Server,
  underWay: ReadonlySet<ServerResponse>,
  { drainDelayMs }: Pick<Config, 'drainDelayMs'>,
): Promise<void> {
  server.prependListener('request', (_req, res) => res.setHeader('Connection', 'close'));
  await delay(drainDelayMs);
  server.close();
  for (const res of underWay) await once(res, 'close');
  server.closeAllConnections(); // silent ones: kept alive, or opened ahead by a browser that asked for nothing yet
}

/** One fatal line, then a clean exit: what state a bug left behind, nobody knows. */
function exitOnBug({ log }: Services): void {
  for (const name of ['unhandledRejection', 'uncaughtException'] as const) {
    process.once(name, (err: unknown) => {
      log.fatal({ err }, name);
      log.flush(() => process.exit(1));
    });
  }
}

/** A start that fails says everything at once, for a person. */
function explain(error: unknown): string {
  if (error instanceof ConfigError) {
    const lines = error.problems.map((problem) => `  - ${problem}`).join('\n');
    return `GetBill Connect cannot start. ${error.message}:\n\n${lines}\n\nCopy .env.example to .env and fill it in, or try the app without an account: npm run demo\n`;
  }
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return `GetBill Connect cannot start: the port is taken. Set PORT to another one.\n`;
  if (code === 'EACCES') return `GetBill Connect cannot start: no permission to listen on PORT. Set PORT above 1023.\n`;
  return `GetBill Connect cannot start: ${message}\nIf this names Redis: is it running where REDIS_URL says?\n`;
}

main().catch((error: unknown) => {
  process.stderr.write(explain(error));
  process.exit(1);
});

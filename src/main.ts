import { setTimeout as delay } from 'node:timers/promises';
import { createApp } from './app.js';
import type { Config } from './config/config.js';
import { loadConfig, suspicions } from './config/load.js';
import { ConfigError } from './errors.js';
import { createHttpServer, type HttpServer } from './server.js';
import { createServices, type Services } from './services.js';
import { columnsOf, wrap } from './wrap.js';

async function main(): Promise<void> {
  // before anything that takes time: a start can be stopped too
  const stopSignal = receiveStopSignals();
  const config = loadConfig(process.env);
  const services = await createServices(config);
  exitOnBug(services);
  warnOfSuspiciousValues(services);
  await services.announceSecret();
  const isReady = async (): Promise<boolean> =>
    !stopSignal.received() && (await services.isStorageReady());
  const server = createHttpServer(createApp(services, { isReady }), config);
  const { port } = await server.listen(config);
  const storage = config.redis?.topology ?? 'memory';
  services.log.info({ url: config.publicUrl.href, port, storage, pid: process.pid }, 'listening');
  if (config.publicUrl.port === '0')
    services.log.warn(
      'nobody can sign in: PORT is 0, so set PUBLIC_URL to the origin browsers see',
    );
  stopSignal.handleWith(
    (signal) => void stop({ signal, config, services, server }),
    (signal) => services.log.info({ signal }, 'still stopping'),
  );
}

/**
 * The first SIGTERM, SIGINT or SIGHUP (a terminal is closed) stops the process in order, or at once
 * until `handleWith` is called. The second changes nothing, because systemd and npm, or npm and the
 * terminal, both send one for the same stop. The third ends the process at once.
 */
function receiveStopSignals() {
  const signals: NodeJS.Signals[] = [];
  type Listener = (signal: NodeJS.Signals) => void;
  const listeners: Listener[] = [() => process.exit(0), () => undefined, () => process.exit(1)];
  const receive = (signal: NodeJS.Signals): void => {
    listeners[signals.length]?.(signal);
    signals.push(signal);
  };
  process.on('SIGTERM', receive).on('SIGINT', receive).on('SIGHUP', receive);
  return {
    received: () => signals.length > 0,
    handleWith(first: Listener, second: Listener): void {
      listeners[0] = first;
      listeners[1] = second;
    },
  };
}

/** Serves until the load balancer has noticed, finishes responses, stores renewals, and exits. */
async function stop({
  signal,
  config,
  services,
  server,
}: {
  signal: NodeJS.Signals;
  config: Config;
  services: Services;
  server: HttpServer;
}): Promise<void> {
  const { log } = services;
  log.info({ signal }, 'stopping');
  server.announceStop();
  await delay(config.drainDelayMs);

  // Over before GETBILL_TIMEOUT_MS + 3 s, whatever clients, Redis or the reader of the log do.
  const { timeoutMs } = config.getbill;
  setTimeout(() => process.exit(0), timeoutMs + 2_750).unref();
  const startedMs = performance.now();
  void services.stop();
  const cutOff = await server.drain({ withinMs: timeoutMs + 2_000 });
  await services.close({ withinMs: timeoutMs + 2_500 - (performance.now() - startedMs) });
  log.info({ ...(cutOff > 0 && { cutOff }) }, 'stopped');
  log.flush(() => process.exit(0));
}

/** Values that were probably changed on their way, and misspelt names; the doctor says the same. */
function warnOfSuspiciousValues({ log }: Services): void {
  for (const { name, seen, fix } of suspicions(process.env)) {
    log.warn({ name, seen, hint: fix }, 'suspicious value in the environment');
  }
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
  return `GetBill Connect cannot start: ${explainListen(error as ListenError) ?? (error as Error).message}\n`;
}

type ListenError = NodeJS.ErrnoException & { port?: number; address?: string; hostname?: string };

/** `undefined` for an error of something else. */
function explainListen({
  syscall,
  code = '',
  port,
  address,
  hostname,
}: ListenError): string | undefined {
  if (syscall === 'getaddrinfo' && hostname === process.env['HOST']?.trim()) {
    return 'HOST names a host that DNS does not know. Your shell may have set it (conda and tcsh do): unset HOST, or start with HOST=127.0.0.1';
  }
  if (syscall !== 'listen') return undefined;
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} (PORT) is taken by another program. Set PORT to another one.`;
    case 'EACCES':
      return `no permission to listen on port ${port} (PORT). Set PORT above 1023.`;
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
      return `${address} (HOST) is no address of this machine. Set HOST to one that it has, such as 127.0.0.1 or 0.0.0.0.`;
    case 'EAFNOSUPPORT':
      return `this machine does not support the kind of address in HOST (${address}). Set HOST=127.0.0.1 or 0.0.0.0.`;
    default:
      return `cannot listen at HOST and PORT (${code})`;
  }
}

main().catch((error: unknown) => {
  process.stderr.write(wrap(explain(error), columnsOf(process.stderr)));
  process.exit(1);
});

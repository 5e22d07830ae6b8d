import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../support/until.js';
import type { AppEvent } from '../../../src/events.js';
import type { RedisProxy } from './redis-proxy.js';

/** `time` is UTC; `requestId` is that of the answer. */
export type AuditLine<T extends AppEvent['type']> = Extract<AppEvent, { type: T }> & {
  time: string;
  requestId?: string;
};

/** The real app in an OS process of its own. */
export interface AppProcess {
  name: string;
  pid: number | undefined;
  untilListening(): Promise<void>;
  /** Known once it listens. */
  readonly origin: string;
  /** Between this process and Redis. */
  redis: RedisProxy;
  /** What its audit log says so far. */
  audit<T extends AppEvent['type']>(type: T): Promise<AuditLine<T>[]>;
  log(): string;
  signal(signal: NodeJS.Signals): void;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Its log goes to a file: a full pipe would make the app wait for the test. */
export function startAppProcess({
  main,
  name,
  env,
  redis,
  folder,
}: {
  main: string;
  name: string;
  env: Record<string, string>;
  redis: RedisProxy;
  folder: string;
}): AppProcess {
  const logFile = join(folder, `${name}.log`);
  const logTo = openSync(logFile, 'w');
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', logTo, logTo] });
  closeSync(logTo);
  let running = true;
  const exited: AppProcess['exited'] = new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      running = false;
      resolve({ code, signal });
    });
  });

  const log = (): string => readFileSync(logFile, 'utf8');
  const linesWith = (text: string): Record<string, unknown>[] =>
    log()
      .split('\n')
      .slice(0, -1) // the last one may be half written
      .filter((line) => line.startsWith('{') && line.includes(text))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const port = (): unknown => linesWith('"msg":"listening"')[0]?.['port'];
  let origin = '';
  /** The log is written in order and a moment late: once this request is in it, so is everything before. */
  async function untilWritten(): Promise<void> {
    const { headers } = await fetch(`${origin}/healthz`);
    const id = headers.get('x-request-id') ?? '';
    await until(`the log of ${name} is written`, () => log().includes(id));
  }

  return {
    name,
    pid: child.pid,
    async untilListening() {
      await until(`${name} listens`, () => port() !== undefined || !running, { withinMs: 60_000 });
      if (!running) throw new Error(`${name} did not start: ${log()}`);
      origin = `http://127.0.0.1:${String(port())}`;
    },
    get origin() {
      return origin;
    },
    redis,
    async audit<T extends AppEvent['type']>(type: T) {
      if (running) await untilWritten();
      return linesWith('"audit":true').filter(
        (line) => line['type'] === type,
      ) as unknown as AuditLine<T>[];
    },
    log,
    signal: (signal) => void child.kill(signal),
    exited,
  };
}

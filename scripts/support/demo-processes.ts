// `npm run demo -- --processes 3`: several processes of the app that share a Redis, and a front
// that hands each request to the next of them. Imports nothing that an older Node lacks.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const MAX_PROCESSES = 9;
const REDIS_START_MS = 5_000;

/** How many processes the command line asks for, or what is wrong with it, for a person. */
export function processCount(args: readonly string[]): number | string {
  const at = args.findIndex((arg) => arg === '--processes' || arg.startsWith('--processes='));
  if (at < 0) return 1;
  const text = args[at]?.split('=')[1] ?? args[at + 1] ?? '';
  if (/^[1-9]$/.test(text)) return Number(text);
  return `--processes is "${text.slice(0, 20)}": a number from 1 to ${MAX_PROCESSES}, as in npm run demo -- --processes 3`;
}

export interface DemoRedis {
  readonly url: string;
  stop(): void;
}

/**
 * A Redis on a socket of its own, whose data goes with the demo; `undefined` without a
 * redis-server.
 */
export async function startRedis(): Promise<DemoRedis | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'getbill-demo-'));
  const socket = join(folder, 'redis.sock');
  const options = ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder];
  // In a group of its own: Ctrl-C must not end it before the processes that use it.
  const child = spawn('redis-server', options, { stdio: 'ignore', detached: true });
  const hasFailed = failureOf(child);
  const endsAtMs = Date.now() + REDIS_START_MS;
  while (!existsSync(socket) && !hasFailed() && Date.now() < endsAtMs) await delay(20);
  const stop = (): void => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  if (existsSync(socket)) return { url: `unix://${socket}`, stop };
  stop();
  return undefined;
}

function failureOf(child: ChildProcess): () => boolean {
  let hasFailed = false;
  for (const event of ['error', 'exit']) child.once(event, () => (hasFailed = true));
  return () => hasFailed;
}

export const NO_REDIS = [
  'Several processes need a Redis that they share, and this machine has no redis-server.',
  'Install it (apt install redis-server, brew install redis), or name one that runs:',
  'REDIS_URL=redis://localhost:6379 npm run demo -- --processes 3',
];

/** Listens on `port` and hands each request to the next of the `targets`. */
export async function startFront(port: number, targets: readonly number[]): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  let turn = 0;
  const server = createServer((req, res) => {
    const target = targets[turn++ % targets.length];
    const { method, url: path, headers } = req;
    const options = { agent, host: '127.0.0.1', port: target, method, path, headers };
    const inner = request(options, (response) => {
      res.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(res);
    });
    inner.on('error', () => (res.headersSent ? res.destroy() : res.writeHead(502).end()));
    res.once('close', () => inner.destroy()); // a stream that the browser has left
    req.pipe(inner);
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
}

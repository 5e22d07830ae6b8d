import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

export interface RedisServer {
  /** For `REDIS_URL`. */
  url: string;
  client: Redis;
  /** Every value of every key, as text, to search for what must not be there. */
  dump(): Promise<string>;
  pause(): void;
  resume(): void;
  /** Stops the server but keeps its data, as a restart does. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** A real Redis of one's own on a private socket. */
export async function startRedis(): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'gb-redis-'));
  const socket = join(folder, 'redis.sock');
  const run = async () => {
    const options = ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--dir', folder]; // prettier-ignore
    const child = spawn('redis-server', options, { stdio: 'ignore' });
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await untilReady(socket);
    return { child, exited };
  };
  let running = await run();
  const client = new Redis({ path: socket, retryStrategy: () => 20 });
  client.on('error', () => undefined);

  return {
    url: `unix://${socket}`,
    client,
    async dump() {
      const lines: string[] = [];
      for (const key of await client.keys('*')) {
        const value = await client.get(key).catch(() => '(not a string)');
        lines.push(`${key} ${await client.pttl(key)} ${value ?? ''}`);
      }
      return lines.join('\n');
    },
    pause: () => void running.child.kill('SIGSTOP'),
    resume: () => void running.child.kill('SIGCONT'),
    async stop() {
      running.child.kill('SIGKILL');
      await running.exited;
    },
    async start() {
      running = await run();
    },
    async close() {
      client.disconnect();
      running.child.kill('SIGCONT');
      running.child.kill('SIGKILL');
      await running.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilReady(socket: string): Promise<void> {
  const probe = new Redis({ path: socket, retryStrategy: () => 10, maxRetriesPerRequest: null });
  probe.on('error', () => undefined);
  await probe.ping();
  probe.disconnect();
}

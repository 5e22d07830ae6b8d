import { spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { defaultClientId } from '../../sandbox/sandbox.js';

/** What the app puts in front of its keys: its prefix and a hash of its client id. */
export const KEY_PREFIX = `getbill:${hash('sha256', defaultClientId, 'base64url').slice(0, 8)}:`;

export interface RedisServer {
  /** For `REDIS_URL`. */
  url: string;
  /** Sees the keys of the app without their prefix. */
  client: Redis;
  /** Sees every key as it is. */
  raw: Redis;
  /** Every value of every key, as text, to search for what must not be there. */
  dump(): Promise<string>;
  pause(): void;
  resume(): void;
  /** Stops the server but keeps its data, as a restart does. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A real Redis of one's own on a private socket. Each write is in its file before its reply, so no kill loses one; the
 * file is never synced, because a disk that many share now and then takes a second for it.
 */
export async function startRedis(): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'gb-redis-'));
  const socket = join(folder, 'redis.sock');
  const run = async () => {
    const options = ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'yes', '--appendfsync', 'no', '--dir', folder]; // prettier-ignore
    const child = spawn('redis-server', options, { stdio: 'ignore' });
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await untilReady(socket);
    return { child, exited };
  };
  let running = await run();
  const raw = new Redis({ path: socket, retryStrategy: () => 20 });
  const client = withoutPrefix(
    new Redis({ path: socket, retryStrategy: () => 20, keyPrefix: KEY_PREFIX }),
  );
  for (const each of [raw, client]) each.on('error', () => undefined);

  return {
    url: `unix://${socket}`,
    client,
    raw,
    async dump() {
      const lines: string[] = [];
      for (const key of await raw.keys('*')) {
        const value = await raw.get(key).catch(() => '(not a string)');
        lines.push(`${key} ${await raw.pttl(key)} ${value ?? ''}`);
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
      for (const each of [raw, client]) each.disconnect();
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

/** ioredis puts the prefix in front of keys, but not in front of patterns, and never takes it off. */
function withoutPrefix(client: Redis): Redis {
  const keys = client.keys.bind(client);
  return Object.assign(client, {
    async keys(pattern: string) {
      const found: string[] = await keys(KEY_PREFIX + pattern);
      return found.map((key) => key.slice(KEY_PREFIX.length));
    },
  });
}

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { until } from '../../support/until.js';
import { freePort } from '../../support/free-port.js';

/** One `redis-server` of several, on a port, as they have to find each other. */
export interface RedisNode {
  port: number;
  client: Redis;
  isAlive(): boolean;
  /** SIGSTOP freezes it, SIGCONT lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** `kill -9`; also ends what was killed before. */
  kill(): Promise<void>;
  /** What `INFO replication` says. */
  replication(): Promise<{ role: string; replicas: number; inStep: boolean }>;
}

/** Several servers that belong together, as the app is told of them. */
export interface RedisSet {
  env: Record<string, string>;
  /** Those that hold data. */
  nodes: readonly RedisNode[];
  close(): Promise<void>;
}

/** @param settings lines of its configuration file. */
export async function startNode(
  settings: readonly string[],
  { sentinel = false, port: given }: { sentinel?: boolean; port?: number } = {},
): Promise<RedisNode> {
  const folder = mkdtempSync(join(tmpdir(), 'gb-redis-'));
  const port = given ?? (await freePort());
  const file = join(folder, 'redis.conf');
  writeFileSync(file, [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, ...settings].join('\n'));
  const child = spawn('redis-server', [file, ...(sentinel ? ['--sentinel'] : [])], {
    stdio: 'ignore',
  });
  let alive = true;
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      alive = false;
      resolve();
    });
  });
  const [, password] = /^requirepass (.*)$/m.exec(settings.join('\n')) ?? [];
  const client = new Redis({
    port,
    host: '127.0.0.1',
    retryStrategy: () => 50,
    maxRetriesPerRequest: null,
    ...(password !== undefined && { password }),
  });
  client.on('error', () => undefined);
  const ready = client.ping();
  ready.catch(() => undefined);
  if ((await Promise.race([ready, exited])) === undefined)
    throw new Error(`redis-server did not start on ${port}`);

  return {
    port,
    client,
    isAlive: () => alive,
    signal: (signal) => void child.kill(signal),
    async kill() {
      child.kill('SIGKILL');
      client.disconnect();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
    async replication() {
      const info = await client.info('replication');
      return {
        role: /^role:(\w+)/m.exec(info)?.[1] ?? '',
        replicas: Number(/^connected_slaves:(\d+)/m.exec(info)?.[1] ?? 0),
        inStep: /^master_link_status:up/m.test(info),
      };
    },
  };
}

/** A master that somebody copies from. */
export async function findMaster({ nodes }: Pick<RedisSet, 'nodes'>): Promise<RedisNode> {
  for (const node of nodes.filter((one) => one.isAlive())) {
    const { role, replicas } = await node.replication();
    if (role === 'master' && replicas > 0) return node;
  }
  throw new Error('there is no master with a replica');
}

/** From now on its replicas learn nothing more, as if the network between them were cut. */
export async function cutReplication({ client }: RedisNode): Promise<void> {
  await client.acl('SETUSER', 'default', '-psync', '-sync');
  await client.call('CLIENT', 'KILL', 'TYPE', 'replica');
}

/** Every living replica copies from its master. */
export async function untilInStep(
  nodes: readonly RedisNode[],
  { replicas }: { replicas: number },
): Promise<void> {
  await until('the replicas are in step', async () => {
    const states = await Promise.all(nodes.filter((node) => node.isAlive()).map((node) => node.replication()));
    const copies = states.filter(({ role }) => role === 'slave');
    return copies.length === replicas && copies.every(({ inStep }) => inStep);
  }, { withinMs: 30_000 }); // prettier-ignore
}

import type { Cluster, Redis } from 'ioredis';
import { systemClock } from '../clock.js';
import type { Emit } from '../events.js';
import type { KeyValue } from './key-value.js';
import { createMemoryKeyValue } from './memory.js';
import { createRedis, problemOfFirst, type RedisConfig } from './redis.js';
import { createRedisKeyValue } from './redis-key-value.js';

export { createRedisKeyValue } from './redis-key-value.js';
export type { RedisConfig } from './redis.js';

const CONNECT_WITHIN_MS = 5_000;
const CONNECT_AGAIN_AFTER_MS = 1_000;

const VARIABLE = {
  single: 'REDIS_URL',
  sentinel: 'REDIS_SENTINELS',
  cluster: 'REDIS_CLUSTER_NODES',
} as const;

/**
 * Redis when it is configured, else the memory of this process.
 * @throws {Error} Redis is away; the message says why, and which setting names it.
 */
export async function connectStorage(
  config: RedisConfig | undefined,
  { emit, now, onError }: { emit: Emit; now: () => number; onError: (error: Error) => void },
): Promise<KeyValue> {
  if (config === undefined) return createMemoryKeyValue({ now });
  const redis = createRedis(config);
  redis.on('error', onError);
  try {
    await connect(redis);
  } catch (error) {
    redis.disconnect(); // it would go on trying, and keep a command line from ending
    const reason = config.topology === 'single' ? undefined : await problemOfFirst(config);
    throw new Error(explain(reason ?? (error as Error), config), { cause: reason ?? error });
  }
  const keyValue = createRedisKeyValue({ redis, emit });
  const stopReconnecting = reconnectForEver(redis);
  return {
    ...keyValue,
    async close() {
      stopReconnecting();
      await keyValue.close();
    },
  };
}

/**
 * One Redis by its URL, for a program of your own. Sentinel, Cluster and files of passwords or CAs:
 * `connectStorage`. @throws {Error} as `connectStorage`.
 */
export async function connectRedis(
  url: string,
  { keyPrefix = 'getbill:', report = () => undefined }: { keyPrefix?: string; report?: Emit } = {},
): Promise<KeyValue> {
  const urls = [new URL(url)] as const;
  return await connectStorage(
    { topology: 'single', urls: { reveal: () => urls }, keyPrefix },
    { emit: report, now: systemClock.now, onError: () => undefined },
  );
}

/** Names the place without its user and password. */
function explain({ message, code }: NodeJS.ErrnoException, config: RedisConfig): string {
  const variable = VARIABLE[config.topology];
  const [{ protocol, host, pathname }] = config.urls.reveal();
  const place = protocol === 'unix:' ? `unix://${pathname}` : `${protocol}//${host}`;
  if (code === 'ECONNREFUSED' || code === 'ENOENT') {
    return `nothing listens at ${place} (${variable}, ${code}); is Redis running there?`;
  }
  if (code === 'ENOTFOUND') return `DNS does not know the host of ${place} (${variable})`;
  return `Redis at ${place}: ${message}; is it running where ${variable} says?`;
}

/** @throws {Error} the one that names the reason: that of `connect()` says only that there is no connection. */
async function connect(redis: Redis | Cluster): Promise<void> {
  let reason: Error | undefined;
  const note = (error: Error): void => void (reason = error);
  redis.on('error', note);
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    const giveUp = (): void => reject(new Error(`no connection within ${CONNECT_WITHIN_MS / 1000} s`));
    timer = setTimeout(giveUp, CONNECT_WITHIN_MS);
  });
  try {
    await Promise.race([redis.connect(), tooLate]);
  } catch (error) {
    throw reason ?? error;
  } finally {
    clearTimeout(timer);
    redis.off('error', note);
  }
}

/** ioredis gives up when no Sentinel answers, or when a failover ends a connection that is being made. */
export function reconnectForEver(redis: Redis | Cluster): () => void {
  let timer: NodeJS.Timeout | undefined;
  const onEnd = (): void => {
    timer = setTimeout(() => void redis.connect().catch(() => undefined), CONNECT_AGAIN_AFTER_MS);
  };
  redis.on('end', onEnd);
  return () => {
    clearTimeout(timer);
    redis.off('end', onEnd);
  };
}

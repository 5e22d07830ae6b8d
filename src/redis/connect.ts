import type { Cluster, Redis } from 'ioredis';
import type { RedisConfig } from '../config/config.js';
import type { Emit } from '../core/events.js';
import type { KeyValue } from '../core/storage/key-value.js';
import { createMemoryKeyValue } from '../core/storage/memory.js';
import { createRedis } from './client.js';
import { createRedisKeyValue, inTime } from '../core/storage/redis.js';
import { explainConnect, explainRedis, REDIS_VARIABLE, type RedisProblem } from './explain.js';
import { assertHoldsAllSlots, tryStorage } from './readiness.js';

const CONNECT_WITHIN_MS = 5_000;
const CONNECT_AGAIN_AFTER_MS = 1_000;

/** The storage of a running app: the port, and what only its operation needs. */
export interface Storage extends KeyValue {
  /** Resolves when the storage carries out every command of the port, wherever keys may lie. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Redis when it is configured, else the memory of this process.
 * @throws {Error} Redis is away; the message says why, and which setting names it.
 */
export async function connectStorage(
  config: RedisConfig | undefined,
  { emit, now, onError }: { emit: Emit; now: () => number; onError: (error: Error) => void },
): Promise<Storage> {
  if (config === undefined) {
    const nothing = (): Promise<void> => Promise.resolve();
    return { ...createMemoryKeyValue({ now }), ping: nothing, close: nothing };
  }
  const redis = createRedis(config);
  redis.on('error', onError);
  try {
    await connect(redis, CONNECT_WITHIN_MS, () => assertHoldsAllSlots(redis));
  } catch (error) {
    redis.disconnect(); // it would go on trying, and keep a command line from ending
    throw new Error(explain(await explainConnect(error, config), config), { cause: error });
  }
  const stopReconnecting = reconnectForEver(redis);
  return {
    ...createRedisKeyValue({ redis, emit }),
    async ping() {
      try {
        await inTime(tryStorage(redis));
      } catch (error) {
        emit({
          type: 'storage_failed',
          operation: 'ping',
          reason: explainRedis(error, config).said,
        });
        throw error;
      }
    },
    async close() {
      stopReconnecting();
      await inTime(redis.quit()).catch(() => undefined);
      redis.disconnect(); // QUIT does not close the connections to Sentinels
    },
  };
}

/** Names the place without its user and password. */
function explain({ cause, fix, code, said }: RedisProblem, config: RedisConfig): string {
  const variable = REDIS_VARIABLE[config.topology];
  const [{ protocol, host, pathname }] = config.urls.reveal();
  const place = protocol === 'unix:' ? `unix://${pathname}` : `${protocol}//${host}`;
  if (code === 'ECONNREFUSED' || code === 'ENOENT')
    return `nothing listens at ${place} (${variable}, ${code}); is Redis running there?`;
  if (code === 'CLUSTER_NODE')
    return `${place} is one node of a Cluster: name it in REDIS_CLUSTER_NODES instead of ${variable}`;
  return `${cause} (${place}: ${said}); ${fix}`;
}

/**
 * Connects and carries out `first`. @throws {Error} the one that names the reason: that of
 * `redis.connect()` says only that there is no connection.
 */
export async function connect(
  redis: Redis | Cluster,
  withinMs: number,
  first: () => Promise<unknown>,
): Promise<void> {
  let reason: Error | undefined;
  redis.on('error', (error: Error) => {
    reason = error;
  });
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    const error = new Error(`no connection within ${withinMs / 1000} s`);
    timer = setTimeout(reject, withinMs, Object.assign(error, { code: 'ETIMEDOUT' }));
  });
  try {
    await Promise.race([redis.connect().then(first), tooLate]);
  } catch (error) {
    throw reason ?? error;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * ioredis gives up when no Sentinel answers, or when a failover ends a connection that is being
 * made; this connects again. @returns what ends that.
 */
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

import type { AppEvent } from '../../src/events.js';
import { secret } from '../../src/secret.js';
import type { KeyValue } from '../../src/core/storage/key-value.js';
import { createRedis } from '../../src/core/storage/redis.js';
import { createRedisKeyValue } from '../../src/core/storage/redis-key-value.js';
import type { RedisServer } from './redis-server.js';

export interface RedisStorage {
  keyValue: KeyValue;
  /** Those the adapter has emitted. */
  events: AppEvent[];
}

/** The storage port over a test's own Redis, as production builds it. */
export async function connectStorage(server: RedisServer): Promise<RedisStorage> {
  const events: AppEvent[] = [];
  const urls = secret([new URL(server.url)] as const);
  const redis = createRedis({ topology: 'single', urls, sentinelName: '', caFile: undefined });
  redis.on('error', () => undefined);
  await redis.connect();
  return { keyValue: createRedisKeyValue({ redis, emit: (event) => void events.push(event) }), events };
}

/** Lets time pass for every key, since the clock of a real Redis cannot be moved. */
export async function passTime({ client }: RedisServer, ms: number): Promise<void> {
  for (const key of await client.keys('*')) {
    const left = await client.pttl(key);
    if (left >= 0) await client.pexpire(key, Math.max(0, left - ms));
  }
}

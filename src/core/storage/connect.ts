import type { RedisConfig } from '../../config/config.js';
import type { Emit } from '../../events.js';
import type { KeyValue } from './key-value.js';
import { createMemoryKeyValue } from './memory.js';
import { createRedis } from './redis.js';
import { createRedisKeyValue } from './redis-key-value.js';

/** Redis when it is configured, else the memory of this process. @throws the connection's error when Redis is away. */
export async function connectStorage(
  config: RedisConfig | undefined,
  { emit, now, onError }: { emit: Emit; now: () => number; onError: (error: Error) => void },
): Promise<KeyValue> {
  if (config === undefined) return createMemoryKeyValue({ now });
  const redis = createRedis(config);
  redis.on('error', onError);
  await redis.connect().catch((error: unknown) => {
    redis.disconnect(); // it would go on trying, and keep a command line from ending
    throw error;
  });
  return createRedisKeyValue({ redis, emit });
}

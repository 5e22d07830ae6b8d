import type { RedisConfig } from '../config/config.js';
import { createRedis } from '../redis/client.js';
import { reconnectForEver } from '../redis/connect.js';

const CONNECTED_WITHIN_MS = 2_000;

/**
 * A connection of its own: a burst of webhooks, or a WAIT for replicas, holds up no session.
 * `connected` resolves when it is there, or after `CONNECTED_WITHIN_MS`: commands fail until it is.
 */
export function connectForWebhooks(config: RedisConfig, onError: (error: Error) => void) {
  const redis = createRedis(config, { pipelined: true });
  redis.on('error', onError);
  const stopReconnecting = reconnectForEver(redis);
  const attempt = redis.connect().catch(() => undefined);
  const timeIsUp = new Promise<void>((resolve) => setTimeout(resolve, CONNECTED_WITHIN_MS).unref());
  return {
    redis,
    connected: Promise.race([attempt, timeIsUp]),
    close(): void {
      stopReconnecting();
      redis.disconnect();
    },
  };
}

import type { Redis } from 'ioredis';
import type { RedisConfig } from '../config/config.js';
import { secret } from '../secret.js';
import { createRedis, DEFAULT_PORT, SILENT_CONNECTION_MS } from './client.js';
import { credentials, readAtEachConnection } from './passwords.js';

/**
 * Why the first node or Sentinel cannot be used, which ioredis does not tell when it has several to
 * try. `undefined` when it can be used.
 */
export async function problemOfFirst(config: RedisConfig): Promise<Error | undefined> {
  const [first] = config.urls.reveal();
  const { password, sentinelUsername, sentinelPassword } = credentials(config);
  const url = new URL(first);
  url.port ||= String(DEFAULT_PORT[config.topology]);
  if (config.topology === 'sentinel') url.username = encodeURIComponent(sentinelUsername ?? '');
  const only = { topology: 'single', urls: secret([url] as const) } as const;
  const redis = createRedis({ ...config, ...only, password: undefined, passwordFile: undefined });
  readAtEachConnection(redis as Redis, {
    password: config.topology === 'sentinel' ? sentinelPassword : password,
  });
  try {
    return await new Promise((resolve) => {
      redis.on('error', resolve);
      redis.connect().then(
        () => resolve(undefined),
        () => undefined,
      );
      setTimeout(resolve, 2 * SILENT_CONNECTION_MS, undefined).unref();
    });
  } finally {
    redis.disconnect();
  }
}

import { readFileSync } from 'node:fs';
import { Cluster, Redis } from 'ioredis';
import type { RedisConfig } from '../../config/config.js';

/** One client for any topology. It fails fast: a command waits at most 500 ms, none is queued while Redis is away. */
export function createRedis(config: RedisConfig): Redis | Cluster {
  const urls = config.urls.reveal();
  const [first] = urls;
  const options = {
    ...credentials(first),
    ...(first.protocol === 'rediss:' && {
      tls: config.caFile === undefined ? {} : { ca: readFileSync(config.caFile) },
    }),
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: 1000,
    commandTimeout: 10_000, // gives up a connection whose first command hangs; ours is in redis-key-value.ts
    retryStrategy: reconnectAfterMs,
  };

  switch (config.topology) {
    case 'single':
      return first.protocol === 'unix:'
        ? new Redis({ ...options, path: first.pathname })
        : new Redis({ ...options, ...address(first), db: Number(first.pathname.slice(1)) || 0 });
    case 'sentinel':
      return new Redis({
        ...options,
        sentinels: urls.map(address),
        name: config.sentinelName,
        ...('password' in options && { sentinelPassword: options.password }),
        ...('tls' in options && { sentinelTLS: options.tls, enableTLSForSentinelMode: true }),
        sentinelRetryStrategy: reconnectAfterMs,
        failoverDetector: true,
        reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 2 : false),
      });
    case 'cluster':
      return new Cluster(urls.map(address), {
        lazyConnect: true,
        enableOfflineQueue: false,
        clusterRetryStrategy: reconnectAfterMs,
        slotsRefreshTimeout: 1000,
        redisOptions: options,
      });
  }
}

const reconnectAfterMs = (attempt: number): number => Math.min(attempt * 50, 1000);

function credentials({ username, password }: URL): { username?: string; password?: string } {
  return {
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
  };
}

const address = ({ hostname, port }: URL): { host: string; port: number } => ({
  host: hostname.replace(/^\[|\]$/g, ''),
  port: Number(port) || 6379,
});

import { startRedis, type RedisServer } from '../../support/redis-server.js';
import { startTestApp, type TestApp, type TestAppOptions } from '../../support/test-app.js';

export interface Production {
  app: TestApp;
  redis: RedisServer;
  close(): Promise<void>;
}

/** The app in production mode on a Redis of its own; the browsers of the harness play the TLS proxy. */
export async function startProduction({
  env = {},
  ...options
}: TestAppOptions = {}): Promise<Production> {
  const redis = await startRedis();
  const app = await startTestApp({
    https: true,
    env: { REDIS_URL: redis.url, ...env },
    ...options,
  });
  return {
    app,
    redis,
    async close() {
      await app.close();
      await redis.close();
    },
  };
}

import { parseConfig, type RedisConfig } from '../../src/config/config.js';
import { createRedis } from '../../src/redis/client.js';
import { problemOfFirst } from '../../src/redis/problem-of-first.js';

function redisOf(env: Record<string, string>): RedisConfig {
  const { redis } = parseConfig({
    GETBILL_CLIENT_ID: 'client-1',
    GETBILL_CLIENT_SECRET: 'a-client-secret',
    SESSION_SECRET: 'a-session-secret-0123456789abcdefgh',
    TOKEN_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    ...env,
  });
  if (redis === undefined) throw new Error('no Redis');
  return redis;
}

function optionsOf(env: Record<string, string>): unknown {
  const redis = createRedis(redisOf(env));
  redis.disconnect();
  const { startupNodes: nodes } = redis as { startupNodes?: unknown };
  return nodes === undefined ? redis.options : { nodes };
}

it('looks for a Sentinel without a port at 26379, and for Redis at 6379', () => {
  expect(optionsOf({ REDIS_SENTINELS: 'redis://a,redis://b:7000' })).toMatchObject({
    sentinels: [
      { host: 'a', port: 26379 },
      { host: 'b', port: 7000 },
    ],
  });
  expect(optionsOf({ REDIS_URL: 'redis://a' })).toMatchObject({ host: 'a', port: 6379 });
  expect(optionsOf({ REDIS_CLUSTER_NODES: 'redis://a,redis://[::1]:7000' })).toEqual({
    nodes: [
      { host: 'a', port: 6379 },
      { host: '::1', port: 7000 },
    ],
  });
});

it.each([
  ['REDIS_SENTINELS', 26379],
  ['REDIS_CLUSTER_NODES', 6379],
])('and looks at the same port when it says why %s cannot be used', async (name, port) => {
  // An address of this machine at which nothing listens.
  const problem = await problemOfFirst(redisOf({ [name]: 'redis://127.251.13.7' }));
  expect(problem).toMatchObject({ code: 'ECONNREFUSED', port });
});

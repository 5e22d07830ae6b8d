import type { Sandbox } from '../../../sandbox/sandbox.js';
import type { RedisServer } from '../../support/redis-server.js';

/** What must be equal before and after a request that changes nothing. */
export async function snapshot({
  app: { sandbox },
  redis,
}: {
  app: { sandbox: Sandbox };
  redis: Pick<RedisServer, 'client'>;
}): Promise<object> {
  const { apiCalls, tokenCalls } = sandbox.control.state().counters;
  return {
    keys: (await redis.client.keys('*')).filter((key) => !key.startsWith('rate:')).sort(),
    apiCalls,
    tokenCalls,
  };
}

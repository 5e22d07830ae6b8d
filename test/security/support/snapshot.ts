import type { Production } from './production.js';

/** What must be equal before and after a request that changes nothing. */
export async function snapshot({ app, redis }: Production): Promise<object> {
  const { apiCalls, tokenCalls } = app.sandbox.control.state().counters;
  return {
    keys: (await redis.client.keys('*')).filter((key) => !key.startsWith('rate:')).sort(),
    apiCalls,
    tokenCalls,
  };
}

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { until } from '../support/until.js';
import { openSocket, rawRequest } from '../proxy/support/raw-http.js';
import { startRedis } from '../support/redis-server.js';
import { startTestApp } from '../support/test-app.js';

const MINUTE_MS = 60_000;

/** What is really held: after a collection. */
const heldMb = (): number => {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 1024 / 1024;
};

/** A quarter each to `/`, `/login`, an unknown page and one that needs a session: without a cookie, over a few connections. */
async function anonymousRequests(origin: string, count: number): Promise<void> {
  const targets = ['/', '/login', '/nowhere', '/dashboard'];
  const oneConnection = async (share: number): Promise<void> => {
    const socket = openSocket(origin);
    const requests = Array.from({ length: share }, (_, index) =>
      rawRequest('GET', targets[index % targets.length] ?? '/', [
        'Host: connect.example',
        'X-Forwarded-Proto: https',
        `X-Forwarded-For: 198.51.${index % 250}.${index % 240}`,
        `Connection: ${index === share - 1 ? 'close' : 'keep-alive'}`,
      ]),
    );
    socket.write(Buffer.concat(requests));
    const chunks: Buffer[] = [];
    for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
    const answers = Buffer.concat(chunks)
      .toString('latin1')
      .match(/HTTP\/1\.1 (200|302|404) /g);
    expect(answers).toHaveLength(share);
  };
  for (let sent = 0; sent < count; sent += 200)
    await Promise.all(Array.from({ length: 10 }, () => oneConnection(20)));
}

describe('10,000 visitors who never sign in', () => {
  it('[J06] leave nothing in Redis but what ends within an hour, and little in memory', async () => {
    const redis = await startRedis();
    const app = await startTestApp({
      https: true,
      env: { REDIS_URL: redis.url, LOG_LEVEL: 'silent' },
    });
    const ofAll = async (
      keys: string[],
      command: 'pttl' | 'strlen' | 'pexpire',
      values: number[] = [],
    ) => {
      const pipeline = redis.client.pipeline(keys.map((key, index) => [command, key, ...(values.length > 0 ? [values[index]] : [])])); // prettier-ignore
      return ((await pipeline.exec()) ?? []).map(([, value]) => Number(value));
    };
    try {
      await anonymousRequests(app.origin, 1_000);
      const beforeMb = heldMb();
      await anonymousRequests(app.origin, 9_000);
      const grownMb = heldMb() - beforeMb;
      console.log(
        `[J06] 9,000 more anonymous requests: memory grew by ${grownMb.toFixed(1)} MB, the test's own included`,
      );
      expect(grownMb).toBeLessThan(150);

      const keys = await redis.client.keys('*');
      expect(keys.filter((key) => !/^(login|rate):/.test(key))).toEqual([]);
      expect(keys.filter((key) => key.startsWith('login:'))).toHaveLength(2_500);
      const ttls = await ofAll(keys, 'pttl');
      expect(ttls.filter((ttlMs) => ttlMs === -1 || ttlMs > 60 * MINUTE_MS)).toEqual([]);
      expect(Math.max(...(await ofAll(keys, 'strlen')))).toBeLessThan(2_048);

      await ofAll(keys, 'pexpire', ttls.map((ttlMs) => Math.max(1, ttlMs - 60 * MINUTE_MS))); // prettier-ignore
      await until('all have ended', async () => (await redis.client.keys('*')).length === 0);
    } finally {
      await app.close();
      await redis.close();
    }
  });
});

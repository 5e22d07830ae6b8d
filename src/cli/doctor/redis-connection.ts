import type { Cluster, Redis } from 'ioredis';
import { assertHoldsAllSlots } from '../../redis/readiness.js';

const CONNECT_WITHIN_MS = 3_000;

/** @throws the error that names the reason; the one of `connect()` itself says only that the connection is closed. */
export async function connect(redis: Redis | Cluster): Promise<void> {
  let seen: Error | undefined;
  redis.on('error', (error: Error) => {
    seen = error;
  });
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(Object.assign(new Error('no response'), { code: 'ETIMEDOUT' })),
      CONNECT_WITHIN_MS,
    );
  });
  try {
    const used = redis
      .connect()
      .then(() => assertHoldsAllSlots(redis))
      .then(() => redis.get('ping'));
    await Promise.race([used, tooLate]);
  } catch (error) {
    throw seen ?? error;
  } finally {
    clearTimeout(timer);
  }
}

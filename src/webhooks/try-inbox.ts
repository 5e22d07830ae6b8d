import { randomUUID } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import type { Cipher } from '../core/storage/cipher.js';
import { defaultLimits } from './inbox.js';
import { changesKey, createRedisChanges } from './changes.js';
import { createRedisInbox } from './redis-inbox.js';
import { openRedisStream } from './redis-inbox-stream.js';

/**
 * Takes one delivery through an inbox of nobody's, with every command that webhooks need, and
 * removes what it wrote. @throws {StorageError}
 */
export async function tryInbox(
  redis: Redis | Cluster,
  { cipher, replicas, now }: { cipher: Cipher; replicas: number; now: () => number },
): Promise<void> {
  const endpoint = `doctor:${randomUUID()}`; // no endpoint has a colon in its name
  const identity = 'doctor';
  const limits = { ...defaultLimits, keptMs: 60_000 };
  const connected = Promise.resolve();
  const options = { redis, cipher, endpoint, connected, emit: () => undefined };
  const inbox = createRedisInbox({ ...options, consumer: 'doctor', limits, replicas });
  const changes = createRedisChanges({ redis, endpoint, now });
  try {
    await inbox.accept({ identity, type: 'doctor', body: '{}' });
    for (const { id } of await inbox.claim({ count: 1, newOnly: true })) {
      await inbox.keep(id);
      await inbox.giveUp(id);
      await inbox.again(id);
    }
    await inbox.recent(1);
    await inbox.trim();
    await changes.publish({ type: 'doctor', subject: undefined });
    await changes.after('0-1');
  } finally {
    const { key, barrierKey, seenKey } = openRedisStream(options);
    const keys = [key, barrierKey, seenKey(identity), changesKey(endpoint)];
    await Promise.all(keys.map((each) => redis.del(each).catch(() => 0)));
  }
}

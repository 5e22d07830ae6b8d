import { Command, type Cluster, type Redis } from 'ioredis';
import type { KeyValue } from '../core/storage/key-value.js';
import { createRedisKeyValue, inTime } from '../core/storage/redis.js';

/**
 * Carries out every command of the storage port, on every master of a Cluster, so that a right that
 * is missing is seen as well as a disk that is full. @throws {StorageError} @throws {Error}
 */
export async function tryStorage(redis: Redis | Cluster): Promise<void> {
  const keyValue = createRedisKeyValue({ redis, emit: () => undefined });
  const keys = isCluster(redis) ? await onePerMaster(redis) : ['ready:0'];
  await Promise.all(keys.map((key) => tryEveryCommand(keyValue, key)));
}

/** @throws {Error} `CLUSTER_NODE`: what is configured as a single Redis is a node of a Cluster. */
export async function assertHoldsAllSlots(redis: Redis | Cluster): Promise<void> {
  if (isCluster(redis)) return;
  // no Cluster, or a user who may not ask
  const info = await inTime(redis.cluster('INFO')).catch(() => '');
  const [, masters] = /^cluster_size:(\d+)/m.exec(info) ?? [];
  if (Number(masters) > 1)
    throw Object.assign(new Error('it is one node of a Cluster'), { code: 'CLUSTER_NODE' });
}

async function tryEveryCommand(keyValue: KeyValue, key: string): Promise<void> {
  const lifetime = { ttlMs: 10_000 };
  await Promise.all([
    keyValue.delete(key),
    keyValue.set(key, '0', lifetime),
    keyValue.setIfAbsent(key, '0', lifetime),
    keyValue.get(key),
    keyValue.getWithTtl(key),
    keyValue.compareAndSet(key, '0', '0'),
    keyValue.increment(key, lifetime),
    keyValue.expire(key, lifetime),
    keyValue.compareAndDelete(key, 'another value'),
    keyValue.take(key),
  ]);
}

const SLOTS = 16_384;

/** Keys that reach every master of a Cluster. @throws {Error} some slot belongs to nobody. */
async function onePerMaster(cluster: Cluster): Promise<string[]> {
  const info = await cluster.cluster('INFO');
  if (!info.includes(`cluster_slots_assigned:${SLOTS}`))
    throw new Error('some slots of the Cluster have no master');
  const { keyPrefix = '' } = cluster.options;
  const missing = new Set(cluster.slots.map(([master]) => master));
  const keys: string[] = [];
  for (let number = 0; missing.size > 0 && number < SLOTS; number += 1) {
    const key = `ready:${number}`;
    const [master] = cluster.slots[new Command('get', [key], { keyPrefix }).getSlot()] ?? [];
    if (missing.delete(master)) keys.push(key);
  }
  return keys;
}

const isCluster = (redis: Redis | Cluster): redis is Cluster => redis.isCluster;

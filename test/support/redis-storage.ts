import { connectStorage as connect, type Storage } from '../../src/redis/connect.js';
import type { AppEvent } from '../../src/events.js';
import { secret } from '../../src/secret.js';
import { KEY_PREFIX, type RedisServer } from './redis-server.js';

export interface RedisStorage {
  keyValue: Storage;
  /** Those the adapter has emitted. */
  events: AppEvent[];
}

/** The storage port over a test's own Redis, as production builds it. */
export async function connectStorage(server: Pick<RedisServer, 'url'>): Promise<RedisStorage> {
  const events: AppEvent[] = [];
  const urls = secret([new URL(server.url)] as const);
  const keyValue = await connect(
    { topology: 'single', urls, sentinelName: '', caFile: undefined, keyPrefix: KEY_PREFIX },
    { emit: (event) => void events.push(event), now: Date.now, onError: () => undefined },
  );
  return { keyValue, events };
}

/** Lets time pass for every key, since the clock of a real Redis cannot be moved. */
export async function passTime({ client }: RedisServer, ms: number): Promise<void> {
  for (const key of await client.keys('*')) {
    const left = await client.pttl(key);
    if (left >= 0) await client.pexpire(key, Math.max(0, left - ms));
  }
}

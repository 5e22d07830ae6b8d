import { Redis, type Cluster } from 'ioredis';
import { RecordError } from '../../core/errors.js';
import type { Cipher } from '../../core/storage/cipher.js';
import type { CheckContext } from './check.js';

/** The median of five commands. */
export async function latencyMs(
  redis: Redis | Cluster,
  { monotonicMs }: Pick<CheckContext, 'monotonicMs'>,
): Promise<number> {
  const taken: number[] = [];
  for (let times = 0; times < 5; times += 1) {
    const startedMs = monotonicMs();
    await redis.get('ping');
    taken.push(monotonicMs() - startedMs);
  }
  return taken.sort((a, b) => a - b)[2] ?? 0;
}

const MAX_SCANNED_KEYS = 200;

/** The key ids of the first encrypted records that SCAN finds. @throws SCAN is not allowed. */
export async function sealedWith(redis: Redis | Cluster, prefix: string): Promise<string[]> {
  const node = redis instanceof Redis ? redis : redis.nodes('master')[0];
  if (node === undefined) return [];
  const ids: string[] = [];
  let [cursor, seen] = ['0', 0];
  do {
    const [next, names] = await node.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', 100);
    cursor = next;
    for (const name of names) {
      const value = await redis.get(name.slice(prefix.length)).catch(() => null); // another type
      for (const [, id = ''] of (value ?? '').matchAll(SEALED)) ids.push(id);
    }
    seen += Math.max(names.length, 1);
  } while (cursor !== '0' && seen < MAX_SCANNED_KEYS);
  return ids;
}

/** As `createCipher` writes it: key id, dot, nonce with text and tag. */
const SEALED = /(?<![\w-])([\w-]{8})\.[\w-]{38,}(?![\w.-])/g;

export function hasKey(cipher: Cipher, id: string): boolean {
  try {
    cipher.decrypt(`${id}.${'A'.repeat(38)}`, '');
    return true;
  } catch (error) {
    return !(error instanceof RecordError && error.code === 'record_key_missing');
  }
}

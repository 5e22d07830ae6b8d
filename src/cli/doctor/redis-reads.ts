import { Redis, type Cluster } from 'ioredis';
import { RecordError } from '../../core/errors.js';
import type { Cipher } from '../../core/storage/cipher.js';
import type { CheckContext } from './check.js';

export type Info = Readonly<Record<string, string>>;

/** `INFO` as a record, empty where it is not allowed or has another name; one of the nodes of a cluster answers for all. */
export async function readRedisInfo(redis: Redis | Cluster): Promise<Info> {
  const text = await redis.info().catch((error: unknown) => {
    if (/^(NOPERM|ERR unknown command)/.test((error as Error).message)) return '';
    throw error;
  });
  return Object.fromEntries(
    text.split('\r\n').flatMap((line) => {
      const [, key, value] = /^(\w+):(.*)$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, value]];
    }),
  );
}

/** CONFIG is forbidden at many providers: then nothing is known, and the append-only file is the advice anyway. */
export async function snapshots(redis: Redis | Cluster): Promise<boolean> {
  try {
    const [, rules] = (await redis.call('CONFIG', 'GET', 'save')) as [string, string];
    return rules !== '';
  } catch {
    return true;
  }
}

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

/** The key ids of the first encrypted records that SCAN finds. Reads only. @throws SCAN is not allowed. */
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

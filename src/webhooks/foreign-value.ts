import type { Cluster, Redis } from 'ioredis';
import { inTime } from '../core/storage/redis.js';
import type { Emit } from '../events.js';

/** A key of ours, and the type of what we keep there. */
export interface OwnKey {
  readonly key: string;
  readonly type: 'stream' | 'string';
}

const DROP_UNLESS_TYPE = `local found = redis.call('TYPE', KEYS[1]).ok
if found == ARGV[1] or found == 'none' then return 0 end
return redis.call('DEL', KEYS[1])`;

/**
 * Runs `command`; when somebody else has put a value of another type under `own.key`, once more without it. Only such a
 * value is dropped, in one step: another process may have replaced it already. A frozen Redis fails each command in time.
 */
export async function withoutForeignValue<T>(
  command: () => Promise<T>,
  { redis, own, emit }: { redis: Redis | Cluster; own: OwnKey; emit: Emit },
): Promise<T> {
  try {
    return await inTime(command());
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('WRONGTYPE'))) throw error;
    const dropped = await inTime(redis.eval(DROP_UNLESS_TYPE, 1, own.key, own.type));
    if (dropped === 1) emit({ type: 'record_replaced', record: 'webhook' });
    return await inTime(command());
  }
}

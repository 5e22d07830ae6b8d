import type { Cluster, Redis } from 'ioredis';
import { inTime } from '../core/storage/redis.js';
import type { Emit } from '../events.js';

/** A key of ours, and a command we use anyway that fails with WRONGTYPE on any other type. */
export interface OwnKey {
  readonly key: string;
  readonly readBy: 'XLEN' | 'GET';
}

const DROP_IF_WRONG_TYPE = `local found = redis.pcall(ARGV[1], KEYS[1])
if type(found) == 'table' and found.err and string.find(found.err, 'WRONGTYPE', 1, true) then
  return redis.call('DEL', KEYS[1]) end
return 0`;

/**
 * Runs `command`; when somebody else has put a value of another type under `own.key`, once more
 * without it. Only such a value is dropped, in one step: another process may have replaced it
 * already. A frozen Redis fails each command in time.
 */
export async function withoutForeignValue<T>(
  command: () => Promise<T>,
  { redis, own, emit }: { redis: Redis | Cluster; own: OwnKey; emit: Emit },
): Promise<T> {
  try {
    return await inTime(command());
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('WRONGTYPE'))) throw error;
    const dropped = await inTime(redis.eval(DROP_IF_WRONG_TYPE, 1, own.key, own.readBy));
    if (dropped === 1) emit({ type: 'record_replaced', record: 'webhook' });
    return await inTime(command());
  }
}

import type { Cluster, Redis } from 'ioredis';
import type { Cipher } from '../core/storage/cipher.js';
import { StorageError } from '../errors.js';
import type { Emit } from '../events.js';
import { withoutForeignValue, type OwnKey } from './foreign-value.js';
import type { Entry } from './inbox.js';

/** The one consumer group of every stream; each process is a consumer in it. */
export const GROUP = 'workers';

/** An entry as Redis replies with it. */
export type RawEntry = [id: string, fields: string[] | null];

/** An entry that was delivered and is not acknowledged, as XPENDING replies with it. */
export type Pending = [id: string, consumer: string, idleMs: number, tries: number];

/** The stream of one endpoint: its keys, its connection, its entries. */
export interface RedisStream {
  readonly redis: Redis | Cluster;
  readonly key: string;
  /** Of an entry; one key each, so that each ends with its own time. */
  readonly givenUpKey: (id: string) => string;
  readonly barrierKey: string;
  readonly seenKey: (identity: string) => string;
  /** Sends a command about the stream, once the connection is there. @throws {StorageError} */
  readonly call: <T>(command: () => Promise<T>) => Promise<T>;
  /** The same about a key that holds a string. */
  readonly callString: <T>(key: string, command: () => Promise<T>) => Promise<T>;
  /** Makes the group at its first use; it reads from the beginning. */
  readonly withGroup: () => Promise<void>;
  readonly seal: (identity: string, body: string) => string;
  /** `undefined` when it is spoilt, or sealed with a key that this process does not have. */
  readonly entryFrom: (raw: RawEntry) => Entry | undefined;
}

export function openRedisStream({
  redis,
  cipher,
  endpoint,
  connected,
  emit,
}: {
  redis: Redis | Cluster;
  cipher: Cipher;
  endpoint: string;
  connected: Promise<void>;
  emit: Emit;
}): RedisStream {
  const key = `webhook:stream:${endpoint}`;
  const contextOf = (identity: string): string => `webhook.${endpoint}.${identity}`;
  let ready: Promise<void> | undefined;

  const call = <T>(command: () => Promise<T>): Promise<T> => send(command, { key, readBy: 'XLEN' });

  async function send<T>(command: () => Promise<T>, own: OwnKey): Promise<T> {
    try {
      await connected;
      return await withoutForeignValue(command, { redis, own, emit });
    } catch (error) {
      // Redis was emptied
      if (error instanceof Error && error.message.includes('NOGROUP')) ready = undefined;
      throw error instanceof StorageError ? error : new StorageError(error);
    }
  }

  /**
   * A full Redis refuses this with OOM even when the group exists. When it does not, the next
   * command fails with NOGROUP.
   */
  async function makeGroup(): Promise<void> {
    await redis.xgroup('CREATE', key, GROUP, '0', 'MKSTREAM').catch((error: unknown) => {
      if (!(error instanceof Error && /^(BUSYGROUP|OOM)/.test(error.message))) throw error;
    });
  }

  return {
    redis,
    key,
    givenUpKey: (id) => `webhook:given-up:${endpoint}:${id}`,
    barrierKey: `webhook:barrier:${endpoint}`,
    seenKey: (identity) => `webhook:seen:${endpoint}:${identity}`,
    call,
    callString: (stringKey, command) => send(command, { key: stringKey, readBy: 'GET' }),
    async withGroup() {
      ready ??= call(makeGroup).catch((error: unknown) => {
        ready = undefined;
        throw error;
      });
      await ready;
    },
    seal: (identity, body) => cipher.encrypt(body, contextOf(identity)),
    entryFrom([id, fields]) {
      const { identity = '', type = '', body = '' } = pairs(fields ?? []);
      try {
        return { id, type, body: cipher.decrypt(body, contextOf(identity)) };
      } catch {
        return undefined;
      }
    },
  };
}

/** A flat reply of names and values as an object. */
export function pairs(list: readonly string[]): Record<string, string | undefined> {
  const object: Record<string, string | undefined> = {};
  for (let index = 0; index + 1 < list.length; index += 2)
    object[list[index] ?? ''] = list[index + 1];
  return object;
}

import { hash, randomBytes } from 'node:crypto';
import { RecordError } from '../errors.js';
import type { KeyValue } from '../core/storage/key-value.js';
import type { ExplorerRequest } from './request.js';

const TTL_MS = 600_000;
const ID = /^[\w-]{22}$/;

/** The confirmed request, with its session. */
export interface Write extends ExplorerRequest {
  readonly method: string;
  readonly grantId: string;
}

/**
 * A write is sent once per confirmation, because GetBill documents no idempotency key: a page that
 * is reloaded, or a second click, sends nothing.
 */
export interface Confirmations {
  /** The value that the form of the confirmation carries. */
  create(write: Write): Promise<string>;
  /** `false`: used before, too old, or made for another request. */
  use(id: unknown, write: Write): Promise<boolean>;
}

export function createConfirmations({
  keyValue,
}: {
  keyValue: Pick<KeyValue, 'set' | 'take'>;
}): Confirmations {
  return {
    async create(write) {
      const id = randomBytes(16).toString('base64url');
      await keyValue.set(keyOf(id), digestOf(write), { ttlMs: TTL_MS });
      return id;
    },
    async use(id, write) {
      if (typeof id !== 'string' || !ID.test(id)) return false;
      try {
        return (await keyValue.take(keyOf(id))) === digestOf(write);
      } catch (error) {
        if (error instanceof RecordError) return false; // not a confirmation of ours
        throw error;
      }
    },
  };
}

const keyOf = (id: string): string => `explorer:${id}`;

const digestOf = ({ grantId, method, path, query, body }: Write): string =>
  hash('sha256', JSON.stringify([grantId, method, path, query, body]), 'base64url');

import { hash } from 'node:crypto';
import type { KeyValue } from '../../core/storage/key-value.js';

const REMEMBERED_MS = 10_000; // a loop comes back at once

/**
 * Which grant a browser (by its binding cookie) has just signed in to. A browser that comes back to `/login` without
 * the session cookie while that grant lives does not keep our cookie: sent to GetBill again, it would go round for ever.
 */
export interface Arrivals {
  note(binding: string, grantId: string): Promise<void>;
  lastGrant(binding: string): Promise<string | undefined>;
}

export function createArrivals({ keyValue }: { keyValue: Pick<KeyValue, 'get' | 'set'> }): Arrivals {
  const keyOf = (binding: string): string => `arrival:${hash('sha256', binding, 'base64url')}`;
  return {
    note: (binding, grantId) => keyValue.set(keyOf(binding), grantId, { ttlMs: REMEMBERED_MS }),
    lastGrant: (binding) => keyValue.get(keyOf(binding)),
  };
}

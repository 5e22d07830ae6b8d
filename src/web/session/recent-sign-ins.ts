import { hash } from 'node:crypto';
import { RecordError } from '../../errors.js';
import type { Emit } from '../../events.js';
import type { KeyValue } from '../../core/storage/key-value.js';

const REMEMBERED_MS = 10_000; // a loop comes back at once

/** As `grantIdOf` makes them. */
const GRANT_ID = /^[\w-]{43}$/;

/**
 * The grant that a browser (by its binding cookie) has just signed in to. A browser that comes back
 * to `/login` without the session cookie while that grant lives does not keep our cookie: sent to
 * GetBill again, it would loop for ever.
 */
export interface RecentSignIns {
  note(binding: string, grantId: string): Promise<void>;
  lastGrant(binding: string): Promise<string | undefined>;
}

export function createRecentSignIns({
  keyValue,
  emit,
}: {
  keyValue: Pick<KeyValue, 'get' | 'set'>;
  emit: Emit;
}): RecentSignIns {
  const keyOf = (binding: string): string => `arrival:${hash('sha256', binding, 'base64url')}`;
  return {
    note: (binding, grantId) => keyValue.set(keyOf(binding), grantId, { ttlMs: REMEMBERED_MS }),
    async lastGrant(binding) {
      try {
        const grantId = await keyValue.get(keyOf(binding));
        if (grantId === undefined || GRANT_ID.test(grantId)) return grantId;
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
      }
      emit({ type: 'record_replaced', record: 'recent_sign_in' });
      return undefined;
    },
  };
}

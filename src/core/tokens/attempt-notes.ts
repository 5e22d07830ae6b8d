import type { KeyValue } from '../storage/key-value.js';

const NOTE_TTL_MS = 600_000;

/**
 * A note that a refresh token is being spent, left standing when the answer never came. With it an unavoidable
 * refusal afterwards is told apart from a revoked grant (`answer_lost`). It holds a keyed hash of the token.
 */
export interface AttemptNotes {
  /** Whether an earlier attempt with this very token is on record without an end. */
  note(grantId: string, refreshToken: string): Promise<{ earlier: boolean }>;
  clear(grantId: string): Promise<void>;
}

export function createAttemptNotes({
  keyValue,
  fingerprint,
  newId,
}: {
  keyValue: Pick<KeyValue, 'setIfAbsent' | 'set' | 'delete'>;
  fingerprint: (token: string) => string;
  newId: () => string;
}): AttemptNotes {
  const keyOf = (grantId: string): string => `attempt:${grantId}`;
  return {
    async note(grantId, refreshToken) {
      const sameToken = `${fingerprint(refreshToken)}.`;
      const mine = sameToken + newId();
      const present = await keyValue.setIfAbsent(keyOf(grantId), mine, { ttlMs: NOTE_TTL_MS });
      if (present === undefined || present === mine) return { earlier: false };
      if (present.startsWith(sameToken)) return { earlier: true };
      await keyValue.set(keyOf(grantId), mine, { ttlMs: NOTE_TTL_MS });
      return { earlier: false };
    },
    clear: (grantId) => keyValue.delete(keyOf(grantId)),
  };
}

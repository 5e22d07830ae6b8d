import { createHmac } from 'node:crypto';
import { RecordError } from '../errors.js';
import type { KeyValue } from '../storage/key-value.js';

export const PENDING_LOGIN_TTL_MS = 600_000; // RFC 6749 section 4.1.2: a code lives at most 10 minutes

export interface PendingLogin {
  readonly codeVerifier: string;
  readonly returnTo: string;
}

/** `binding` is the random value of the browser's binding cookie. */
interface Started {
  readonly binding: string;
  readonly state: string;
}

/**
 * One record per started login. Its key is made of "state" *and* the browser's cookie: a callback in another browser
 * finds nothing and so consumes nothing. It is taken once, before any token call.
 */
export interface PendingLogins {
  keep(started: Started, login: PendingLogin): Promise<void>;
  take(started: Started): Promise<PendingLogin | undefined>;
}

export function createPendingLogins({
  keyValue,
  cipher,
}: {
  keyValue: Pick<KeyValue, 'set' | 'take'>;
  cipher: { encrypt(plaintext: string, context: string): string; decrypt(sealed: string, context: string): string };
}): PendingLogins {
  const keyOf = ({ binding, state }: Started): string =>
    `login:${createHmac('sha256', binding).update(state).digest('base64url')}`;
  return {
    async keep(started, login) {
      const key = keyOf(started);
      await keyValue.set(key, cipher.encrypt(JSON.stringify(login), key), { ttlMs: PENDING_LOGIN_TTL_MS });
    },
    async take(started) {
      const key = keyOf(started);
      try {
        const sealed = await keyValue.take(key);
        return sealed === undefined ? undefined : (JSON.parse(cipher.decrypt(sealed, key)) as PendingLogin);
      } catch (error) {
        if (error instanceof RecordError) return undefined; // keys were rotated away, or it is not ours: start again
        throw error;
      }
    },
  };
}

import { createHmac } from 'node:crypto';
import { RecordError } from '../errors.js';
import type { Emit } from '../events.js';
import { jsonObject } from '../json.js';
import type { KeyValue } from '../storage/key-value.js';

/** How long a visit to the authorization server may take: password, second factor, a phone call. The code comes at its end. */
export const PENDING_LOGIN_TTL_MS = 3_600_000;

export interface PendingLogin {
  readonly codeVerifier: string;
  readonly returnTo: string;
  /** What was asked for, where it is not what the provider always asks for. */
  readonly scopes?: readonly string[];
}

/** `binding` is the random value of the browser's binding cookie. */
interface Started {
  readonly binding: string;
  readonly state: string;
}

/**
 * One record per started login. Its key is made of "state" *and* the browser's cookie: a callback in another browser
 * finds nothing and so consumes nothing. It is taken once, before any token call. What is stored but is none is absent.
 */
export interface PendingLogins {
  keep(started: Started, login: PendingLogin): Promise<void>;
  /** @throws {StorageError} @throws {RecordError} `key_missing`: another process wrote it, with a key that is not known here. */
  take(started: Started): Promise<PendingLogin | undefined>;
}

export function createPendingLogins({
  keyValue,
  cipher,
  emit,
  fingerprint,
}: {
  keyValue: Pick<KeyValue, 'set' | 'take'>;
  cipher: {
    encrypt(plaintext: string, context: string): string;
    decrypt(sealed: string, context: string): string;
  };
  emit: Emit;
  fingerprint: (id: string) => string;
}): PendingLogins {
  const keyOf = ({ binding, state }: Started): string =>
    `login:${createHmac('sha256', binding).update(state).digest('base64url')}`;
  return {
    async keep(started, login) {
      const key = keyOf(started);
      await keyValue.set(key, cipher.encrypt(JSON.stringify(login), key), {
        ttlMs: PENDING_LOGIN_TTL_MS,
      });
    },
    async take(started) {
      const key = keyOf(started);
      try {
        const sealed = await keyValue.take(key);
        return sealed === undefined ? undefined : pendingLoginFrom(cipher.decrypt(sealed, key));
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        const grant = fingerprint(started.state);
        if (error.code === 'record_key_missing') {
          emit({ type: 'key_missing', grant });
          throw error;
        }
        emit({ type: 'record_replaced', grant, record: 'pending_login' });
        return undefined;
      }
    },
  };
}

/** @throws {RecordError} `broken` */
function pendingLoginFrom(text: string): PendingLogin {
  const { codeVerifier, returnTo, scopes } = jsonObject(text) ?? {};
  if (typeof codeVerifier !== 'string' || typeof returnTo !== 'string')
    throw new RecordError('broken');
  if (scopes === undefined) return { codeVerifier, returnTo };
  if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === 'string'))
    throw new RecordError('broken');
  return { codeVerifier, returnTo, scopes };
}

import { createHmac } from 'node:crypto';
import { RecordError } from '../errors.js';
import { jsonObject } from '../json.js';
import type { Context } from '../tokens/context.js';

/** How long a visit to the authorization server may take: password, second factor, a phone call. */
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

export type PendingLogins = ReturnType<typeof createPendingLogins>;
type Needs = Pick<Context, 'keyValue' | 'cipher' | 'readRecord'>;

/**
 * One record per started login. Its key is made of "state" *and* the browser's cookie: a callback
 * in another browser finds nothing and so consumes nothing. It is taken once, before a token call.
 */
export function createPendingLogins({ keyValue, cipher, readRecord }: Needs) {
  const keyOf = ({ binding, state }: Started): string =>
    `login:${createHmac('sha256', binding).update(state).digest('base64url')}`;
  return {
    async keep(started: Started, login: PendingLogin): Promise<void> {
      const key = keyOf(started);
      const sealed = cipher.encrypt(JSON.stringify(login), key);
      await keyValue.set(key, sealed, { ttlMs: PENDING_LOGIN_TTL_MS });
    },
    /** @throws {StorageError} @throws {RecordError} `key_missing`: its key is not known here. */
    async take(started: Started): Promise<PendingLogin | undefined> {
      const key = keyOf(started);
      const find = async () => {
        const value = await keyValue.take(key);
        return value === undefined ? undefined : { value };
      };
      return await readRecord({ kind: 'pending_login', key, id: started.state }, find, (found) =>
        pendingLoginFrom(cipher.decrypt(found.value, key)),
      );
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

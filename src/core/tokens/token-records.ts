import { RecordError } from '../errors.js';
import type { Emit } from '../events.js';
import type { TokenSet } from '../oauth/token-set.js';
import type { KeyValue } from '../storage/key-value.js';
import type { Cipher } from '../storage/cipher.js';

/** A token set together with the exact stored text, which is what compare-and-set compares. */
export interface StoredTokens {
  readonly tokenSet: TokenSet;
  readonly sealed: string;
}

/** `superseded` carries what somebody else wrote meanwhile. */
export type Change =
  | { outcome: 'done'; stored: StoredTokens }
  | { outcome: 'superseded'; stored: StoredTokens }
  | { outcome: 'gone' };

/**
 * One encrypted record per grant. That of a person has its TTL set once, to the absolute lifetime of the session.
 * @throws {StorageError} from every method. @throws {RecordError} `key_missing`: not readable here, and left alone.
 */
export interface TokenRecords {
  read(grantId: string): Promise<StoredTokens | undefined>;
  create(grantId: string, tokenSet: TokenSet, options: { ttlMs: number }): Promise<StoredTokens>;
  createIfAbsent(grantId: string, tokenSet: TokenSet, options: { ttlMs: number }): Promise<void>;
  /** For the app's own tokens, which no session outlives. */
  prolong(grantId: string, options: { ttlMs: number }): Promise<void>;
  replace(grantId: string, old: StoredTokens, tokenSet: TokenSet): Promise<Change>;
  removeExactly(grantId: string, old: StoredTokens): Promise<Change>;
  /** Whatever it holds; returns it, so that it can be revoked. */
  remove(grantId: string): Promise<TokenSet | undefined>;
}

export function createTokenRecords({
  keyValue,
  cipher,
  emit,
  fingerprint,
}: {
  keyValue: KeyValue;
  cipher: Cipher;
  emit: Emit;
  fingerprint: (id: string) => string;
}): TokenRecords {
  const keyOf = (grantId: string): string => `grant:${grantId}`;
  const open = (grantId: string, sealed: string): TokenSet =>
    JSON.parse(cipher.decrypt(sealed, grantId)) as TokenSet;

  async function read(grantId: string): Promise<StoredTokens | undefined> {
    let sealed: string | undefined;
    try {
      sealed = await keyValue.get(keyOf(grantId));
      return sealed === undefined ? undefined : { tokenSet: open(grantId, sealed), sealed };
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      const grant = fingerprint(grantId);
      if (error.code === 'record_key_missing') {
        emit({ type: 'key_missing', grant });
        throw error;
      }
      if (sealed === undefined) await keyValue.delete(keyOf(grantId));
      else await keyValue.compareAndDelete(keyOf(grantId), sealed);
      emit({ type: 'session_ended', grant, reason: 'broken_record' });
      return undefined;
    }
  }

  return {
    read,
    async create(grantId, tokenSet, options) {
      const sealed = cipher.encrypt(JSON.stringify(tokenSet), grantId);
      await keyValue.set(keyOf(grantId), sealed, options);
      return { tokenSet, sealed };
    },
    async createIfAbsent(grantId, tokenSet, options) {
      await keyValue.setIfAbsent(
        keyOf(grantId),
        cipher.encrypt(JSON.stringify(tokenSet), grantId),
        options,
      );
    },
    prolong: (grantId, options) => keyValue.expire(keyOf(grantId), options),
    async replace(grantId, old, tokenSet) {
      const sealed = cipher.encrypt(JSON.stringify(tokenSet), grantId);
      if (await keyValue.compareAndSet(keyOf(grantId), old.sealed, sealed)) {
        return { outcome: 'done', stored: { tokenSet, sealed } };
      }
      // "No" may be my own earlier success, sent again by the client after a cut connection or by a retry.
      const stored = await read(grantId);
      if (stored === undefined) return { outcome: 'gone' };
      const mine = stored.tokenSet.accessToken === tokenSet.accessToken;
      return { outcome: mine ? 'done' : 'superseded', stored };
    },
    async removeExactly(grantId, old) {
      if (await keyValue.compareAndDelete(keyOf(grantId), old.sealed))
        return { outcome: 'done', stored: old };
      const stored = await read(grantId);
      return stored === undefined ? { outcome: 'gone' } : { outcome: 'superseded', stored };
    },
    async remove(grantId) {
      try {
        const sealed = await keyValue.take(keyOf(grantId));
        return sealed === undefined ? undefined : open(grantId, sealed);
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        await keyValue.delete(keyOf(grantId));
        return undefined;
      }
    },
  };
}

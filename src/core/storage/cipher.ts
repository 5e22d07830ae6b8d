import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto';
import { RecordError } from '../errors.js';

/** AES-256-GCM. `context`: the additional data; a value moved elsewhere does not decrypt. */
export interface Cipher {
  encrypt(plaintext: string, context: string): string;
  /** @throws {RecordError} `key_missing` for an unknown key id, `broken` for what is not ours. */
  decrypt(sealed: string, context: string): string;
}

const KEY_BYTES = 32;

/** The first of `keys` (32 bytes each) writes, all read: a sealed value names its key by a hash. */
export function createCipher(keys: readonly Buffer[]): Cipher {
  if (!Array.isArray(keys) || !keys.every((key) => Buffer.isBuffer(key)))
    throw new TypeError('"encryptionKeys" is not a list of Buffers');
  for (const { length } of keys)
    if (length !== KEY_BYTES)
      throw new TypeError(`an encryption key has ${length} bytes, not 32: openssl rand -base64 32`);
  const byId = new Map(keys.map((key) => [keyId(key), key]));
  const [writer] = byId;
  if (writer === undefined) throw new TypeError('"encryptionKeys" is empty');
  const [writerId, writerKey] = writer;

  return {
    encrypt(plaintext, context) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', writerKey, nonce).setAAD(Buffer.from(context));
      const text = [cipher.update(plaintext, 'utf8'), cipher.final()];
      const sealed = Buffer.concat([nonce, ...text, cipher.getAuthTag()]);
      return `${writerId}.${sealed.toString('base64url')}`;
    },
    decrypt(sealed, context) {
      const [, id = '', body = ''] = SEALED.exec(sealed) ?? [];
      if (id === '') throw new RecordError('broken');
      const key = byId.get(id);
      if (key === undefined) throw new RecordError('key_missing');
      try {
        const bytes = Buffer.from(body, 'base64url');
        const nonce = bytes.subarray(0, 12);
        const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 })
          .setAAD(Buffer.from(context))
          .setAuthTag(bytes.subarray(-16));
        return decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8');
      } catch (error) {
        throw new RecordError('broken', error);
      }
    },
  };
}

/** The id of the key, then nonce, text and tag: 28 bytes or more. */
const SEALED = /^([\w-]{8})\.([\w-]{38,})$/;

const keyId = (key: Buffer): string => hash('sha256', key, 'base64url').slice(0, 8);

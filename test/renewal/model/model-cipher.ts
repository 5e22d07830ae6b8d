import type { TokenSet } from '../../../src/core/oauth/token-set.js';
import type { Cipher } from '../../../src/core/storage/cipher.js';

/** Readable, so that the witness can look into records; every text differs from every other, as with real nonces. */
export function createModelCipher(name: string): Cipher {
  let texts = 0;
  return {
    encrypt: (plaintext, context) => `${name}.${++texts}|${context}|${plaintext}`,
    decrypt(sealed, context) {
      const [, writtenFor = '', ...plaintext] = sealed.split('|');
      if (writtenFor !== context) throw new Error(`record of ${writtenFor} opened as ${context}`);
      return plaintext.join('|');
    },
  };
}

export const openRecord = (sealed: string): TokenSet =>
  JSON.parse(sealed.slice(sealed.indexOf('|', sealed.indexOf('|') + 1) + 1)) as TokenSet;

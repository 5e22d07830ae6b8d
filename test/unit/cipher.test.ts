/// <reference types="jest" />
import { RecordError } from '../../src/errors.js';
import { createCipher, type Cipher } from '../../src/core/storage/cipher.js';

const oldKey = Buffer.alloc(32, 1);
const newKey = Buffer.alloc(32, 2);
const cipher = createCipher([oldKey]);

function codeOf(action: () => string): string {
  try {
    return `decrypted: ${action()}`;
  } catch (error) {
    return error instanceof RecordError ? error.code : 'another error';
  }
}

const decrypting = (by: Cipher, sealed: string, context = 'grant-1'): string =>
  codeOf(() => by.decrypt(sealed, context));

describe('the cipher', () => {
  it.each(['', 'token', 'ünïcödé \u{1f511}', 'x'.repeat(100_000)])(
    'gives back what it sealed',
    (text) => {
      expect(cipher.decrypt(cipher.encrypt(text, 'grant-1'), 'grant-1')).toBe(text);
    },
  );

  it('[B02] seals the same text differently each time and shows nothing of it', () => {
    const sealed = Array.from({ length: 100 }, () => cipher.encrypt('CANARY', 'grant-1'));
    expect(new Set(sealed.map((text) => text.split('.')[1]?.slice(0, 16))).size).toBe(100); // the nonces
    const plaintext = Buffer.from('CANARY');
    for (const text of sealed)
      expect(Buffer.from(text.split('.')[1] ?? '', 'base64url').includes(plaintext)).toBe(false);
  });

  it('[B02] refuses a value that was moved to another record', () => {
    expect(decrypting(cipher, cipher.encrypt('token', 'grant-1'), 'grant-2')).toBe('record_broken');
  });

  it('[B03] calls a value broken when any one bit of it was flipped', () => {
    const [id = '', body = ''] = cipher.encrypt('token', 'grant-1').split('.');
    const bytes = Buffer.from(body, 'base64url');
    const outcomes = new Set<string>();
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      outcomes.add(decrypting(cipher, `${id}.${flipped.toString('base64url')}`));
    }
    expect([...outcomes]).toEqual(['record_broken']);
  });

  it('calls a value broken at whatever place it was cut', () => {
    const sealed = cipher.encrypt('token', 'grant-1');
    const [id = ''] = sealed.split('.');
    for (let length = id.length; length < sealed.length; length += 1) {
      expect(decrypting(cipher, sealed.slice(0, length))).toBe('record_broken');
    }
  });

  it.each([
    '',
    '.',
    'garbage',
    'Infinity',
    'deadbeef.AAAA',
    '{"a":1}',
    '"str"',
    'short.AAAA',
    `${'a'.repeat(9)}.AAAA`,
  ])('calls %j, which it never wrote, broken', (sealed) => {
    expect(decrypting(cipher, sealed)).toBe('record_broken');
  });

  it('[B03] says that a key is missing rather than that the record is broken', () => {
    const sealed = createCipher([newKey]).encrypt('token', 'grant-1');
    expect(decrypting(cipher, sealed)).toBe('record_key_missing');
  });

  it('[B03] reads with every key and writes with the first, so that keys rotate in three steps', () => {
    const before = createCipher([oldKey]);
    const first = createCipher([oldKey, newKey]);
    const second = createCipher([newKey, oldKey]);
    const last = createCipher([newKey]);
    expect(first.decrypt(second.encrypt('token', 'g'), 'g')).toBe('token');
    expect(second.decrypt(before.encrypt('token', 'g'), 'g')).toBe('token');
    expect(before.decrypt(first.encrypt('token', 'g'), 'g')).toBe('token');
    expect(last.decrypt(second.encrypt('token', 'g'), 'g')).toBe('token');
    expect(decrypting(before, second.encrypt('token', 'grant-1'))).toBe('record_key_missing');
  });

  it('does not start without a key', () => {
    expect(() => createCipher([])).toThrow(TypeError);
  });
});

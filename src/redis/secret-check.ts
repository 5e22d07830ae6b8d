import { scryptSync } from 'node:crypto';
import { RecordError } from '../errors.js';
import type { KeyValue } from '../core/storage/key-value.js';

/** The check value of the process that wrote last. */
export const SECRET_CHECK_KEY = 'secret-check';
/** The mark that two processes had different secrets. */
export const SECRETS_DIFFER_KEY = 'secrets-differ';
const KEPT_MS = 120_000;
const WRITTEN_EVERY_MS = 45_000;

/** Made with scrypt, so that guessing the secret from it costs more than from a signed cookie. */
export const checkOf = (secret: string): string =>
  scryptSync(secret, 'getbill-connect secret check', 16).toString('base64url');

/** As `checkOf` makes them. */
const CHECK = /^[\w-]{22}$/;

/** The value of `SECRET_CHECK_KEY`; one of another form counts as absent. @throws {StorageError} */
export async function readCheck(keyValue: Pick<KeyValue, 'get'>): Promise<string | undefined> {
  try {
    const found = await keyValue.get(SECRET_CHECK_KEY);
    return found !== undefined && CHECK.test(found) ? found : undefined;
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    return undefined; // of another type; the next write replaces it
  }
}

/**
 * Writes the check value of the first secret again and again, and notes when another process writes
 * one that none of `secrets` has: what that process signs cannot be verified here. A storage that
 * is away is tried again. @returns what ends it, once the first is written.
 */
export async function announceSecret(
  keyValue: KeyValue,
  { secrets, onDiffering }: { secrets: readonly string[]; onDiffering: () => void },
): Promise<() => void> {
  const [own = '', ...older] = secrets.map(checkOf);
  const options = { ttlMs: KEPT_MS };
  let told = false;
  async function write(): Promise<void> {
    const found = await readCheck(keyValue);
    if (found !== undefined && found !== own && !older.includes(found)) {
      await keyValue.set(SECRETS_DIFFER_KEY, '1', options);
      if (!told) onDiffering();
      told = true;
    }
    await keyValue.set(SECRET_CHECK_KEY, own, options);
  }
  const tryToWrite = (): Promise<void> => write().catch(() => undefined);
  await tryToWrite();
  const timer = setInterval(() => void tryToWrite(), WRITTEN_EVERY_MS).unref();
  return () => {
    clearInterval(timer);
  };
}

import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

/**
 * The text of a file that people write: UTF-8 with or without BOM, or UTF-16 with that of Windows.
 * @param file its name, or 0 for standard input.
 * @throws {TypeError} it is in another encoding, in which letters would be lost.
 */
export const readTextFile = (file: string | 0): string =>
  decoded(readFileSync(file), { fatal: true });

/** `process.loadEnvFile`, also with the BOMs of Windows. What is set already stays as it is. */
export function loadEnvFile(file: string): void {
  for (const [name, value] of Object.entries(
    parseEnv(decoded(readFileSync(file), { fatal: false })),
  ))
    process.env[name] ??= value;
}

function decoded(bytes: Buffer, { fatal }: { fatal: boolean }): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8';
  return new TextDecoder(encoding, { fatal }).decode(bytes);
}

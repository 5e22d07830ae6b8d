import { readFileSync } from 'node:fs';

export type Environment = Readonly<Record<string, string | undefined>>;

export type ReadFile = (path: string) => string;
/** UTF-8, or UTF-16 as Windows marks it. @throws {TypeError} it is in another encoding. */
export const readTextFile: ReadFile = (path) => {
  const bytes = readFileSync(path);
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8';
  return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
};

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is none',
  EISDIR: 'it is a folder, as Docker makes one of a file that it cannot find',
  EACCES: 'this user may not read it',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is no UTF-8 text',
};

/** "NAME names a file that cannot be read", with the reason and never with the path. */
export function unreadable(name: string, error: unknown): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  const reason = Object.hasOwn(UNREADABLE, code) ? `: ${UNREADABLE[code]}` : '';
  return `${name} names a file that cannot be read${reason}`;
}

/** Written in lower case on most machines; that spelling comes first, as in curl and undici. */
const EITHER_CASE = new Set(['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']);

/**
 * The text of a variable: that of the file which `NAME_FILE` names, else its own.
 * @throws {Error} the file cannot be read.
 */
export function valueOf(
  name: string,
  env: Environment,
  readFile = readTextFile,
): string | undefined {
  const file = fileOf(name, env);
  if (file !== undefined) return readFile(file);
  const lowerCase = EITHER_CASE.has(name) ? env[name.toLowerCase()] : undefined;
  return lowerCase ?? env[name];
}

export const fileOf = (name: string, env: Environment): string | undefined =>
  env[`${name}_FILE`]?.trim() || undefined;

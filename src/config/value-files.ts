import { readFileSync } from 'node:fs';

type Environment = Readonly<Record<string, string | undefined>>;

export type ReadFile = (path: string) => string;
export const readTextFile: ReadFile = (path) => readFileSync(path, 'utf8');

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

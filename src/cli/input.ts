import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { toStderr } from './output.js';

/** The JSON of `--from`; "-" is standard input. @throws {InvalidArgumentError} */
export function bodyFrom(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8')) as unknown;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = error instanceof SyntaxError ? 'is not valid JSON' : `cannot be read (${code})`;
    return misused(`the file of --from ${reason}`);
  }
}

/** Ends a command whose line is wrong. @throws {InvalidArgumentError} */
export function misused(reason: string): never {
  toStderr(`error: ${reason}`);
  throw new InvalidArgumentError(reason);
}

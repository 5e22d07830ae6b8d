import { InvalidArgumentError } from 'commander';
import { toStderr } from './output.js';
import { readTextFile } from './text-file.js';

/** The JSON of `--from`; "-" is standard input. @throws {InvalidArgumentError} */
export function bodyFrom(file: string): unknown {
  let text = '';
  try {
    text = readTextFile(file === '-' ? 0 : file);
    return JSON.parse(text) as unknown;
  } catch (error) {
    return misused(`the file of --from ${reasonOf(error, text)}`);
  }
}

function reasonOf(error: unknown, text: string): string {
  if (error instanceof SyntaxError) {
    const [, position] = / at position (\d+)/.exec(error.message) ?? [];
    const lines = text.slice(0, Number(position)).split('\n');
    return `is not valid JSON${position === undefined ? '' : `: look at line ${lines.length}`}`;
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not UTF-8: save it in that encoding';
  return `cannot be read (${code})`;
}

/** Ends a command whose line is wrong. @throws {InvalidArgumentError} */
export function misused(reason: string): never {
  toStderr(`error: ${reason}`);
  throw new InvalidArgumentError(reason);
}

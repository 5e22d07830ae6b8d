import { InvalidArgumentError } from 'commander';
import { toStderr } from './output.js';
import { readTextFile } from './text-file.js';

/** The JSON of `--from`; "-" is standard input. @throws {InvalidArgumentError} */
export const bodyFrom = (file: string): unknown => jsonFrom(file === '-' ? 0 : file, '--from');

/** The JSON of the file that an option names. @throws {InvalidArgumentError} */
export function jsonFrom(file: string | 0, option: string): unknown {
  let text = '';
  let body: unknown;
  try {
    text = readTextFile(file);
    body = JSON.parse(text);
    JSON.stringify(body); // as it will be shown and sent: it takes fewer levels than JSON.parse
  } catch (error) {
    return misused(`the file of ${option} ${reasonOf(error, text)}`);
  }
  const twice = repeatedName(text);
  if (twice !== undefined) misused(`the file of ${option} has ${twice}`);
  return body;
}

/** Strings, with the colon behind a name, and where objects begin and end. */
const JSON_TOKENS = /"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|[{}]/g;

/**
 * A name that one object has twice, and where: `JSON.parse` keeps the last value without a word.
 */
function repeatedName(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (const { 0: token, 1: name = '', 2: colon, index } of json.matchAll(JSON_TOKENS)) {
    const names = open.at(-1);
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon !== undefined && names?.has(name))
      return `"${name}" twice in one object: look at line ${json.slice(0, index).split('\n').length}`;
    else if (colon !== undefined) names?.add(name);
  }
  return undefined;
}

function reasonOf(error: unknown, text: string): string {
  if (error instanceof SyntaxError && text.trim() === '') return 'is empty';
  if (error instanceof SyntaxError) {
    return `is not valid JSON: look at line ${lineOf(text.trimEnd(), error.message)}`;
  }
  if (error instanceof RangeError) return 'is nested too deeply';
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not UTF-8: save it in that encoding';
  return `cannot be read (${code})`;
}

function lineOf(text: string, message: string): number {
  const [, position] = / at position (\d+)/.exec(message) ?? [];
  if (position !== undefined) return text.slice(0, Number(position)).split('\n').length;
  const lines = text.split('\n');
  let [before, line] = [0, lines.length]; // the fault is below `before`, and at `line` or above
  while (line - before > 1) {
    const middle = Math.floor((before + line) / 2);
    if (hasUnexpectedToken(lines.slice(0, middle).join('\n'))) line = middle;
    else before = middle;
  }
  return line;
}

/** The fault of which Node tells no position, but for a text that ends too early. */
function hasUnexpectedToken(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return (error as SyntaxError).message.startsWith('Unexpected token');
  }
}

/** Ends a command whose line is wrong. @throws {InvalidArgumentError} */
export function misused(reason: string): never {
  toStderr(`error: ${reason}`);
  throw new InvalidArgumentError(reason);
}

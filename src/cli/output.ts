import { Writable } from 'node:stream';
import { UnavailableError } from '../errors.js';
import { exitCodes } from './exit-codes.js';
import { columnsOf, wrap } from '../wrap.js';

/**
 * For every text to the terminal. What other people have written into GetBill, or a server into its
 * errors, must not steer the terminal: control and format characters become spaces.
 */
export const harmless = (text: string): string =>
  text.replaceAll(/(?![\n\t])[\p{Cc}\p{Cf}]/gu, ' ');

/**
 * JSON for programs, and harmless at a terminal: control characters are escaped, nothing is lost.
 * @throws {UnavailableError} a response with more levels than `JSON.stringify` takes.
 */
export const inJson = (value: unknown): string =>
  jsonText(value).replaceAll(/(?!\n)[\p{Cc}\p{Cf}]/gu, (character) =>
    Array.from({ length: character.length }, (_unit, index) => character.charCodeAt(index))
      .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
      .join(''),
  );

function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value, null, 2);
  } catch (cause) {
    const options = { code: 'answer_unexpected_shape', status: 502, cause };
    throw new UnavailableError('the response is nested too deeply to be shown', options);
  }
}

/** A file as an argument of a command to be copied. */
export const quoted = (file: string): string => (/^[\w./:\\-]+$/.test(file) ? file : `"${file}"`);

export const toStdout = (text: string): void => void process.stdout.write(`${harmless(text)}\n`);
export const toStderr = (text: string): void =>
  void process.stderr.write(`${wrap(harmless(text), columnsOf(process.stderr))}\n`);
/** Prose on standard output; tables and JSON go to `toStdout`. */
export const proseToStdout = (text: string): void =>
  toStdout(wrap(text, columnsOf(process.stdout)));

/** Standard error as the log writes to it: whole lines. */
export const harmlessStderr = (): Writable =>
  new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      process.stderr.write(harmless(String(chunk)), () => done());
    },
  });

/** A reader that leaves ends the command on standard output, and changes nothing on the other. */
export function expectReadersToLeave(): void {
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.exit(); // "| head" has seen enough
    toStderr(`the output cannot be written: ${message}`);
    process.exit(exitCodes.bug);
  });
}

import { createInterface } from 'node:readline/promises';
import { exitCodes } from './exit-codes.js';
import { misused } from './input.js';

/** The line a person types; `undefined` after Ctrl-D or `signal`. Ctrl-C ends the process. */
export async function promptFor(
  question: string,
  signal = new AbortController().signal,
): Promise<string | undefined> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new AbortController();
  prompt.once('SIGINT', () => process.exit(exitCodes.interrupted));
  prompt.once('close', () => closed.abort()); // else the promise of the question never settles
  try {
    const stop = AbortSignal.any([signal, closed.signal]);
    return (await prompt.question(question, { signal: stop })).trim();
  } catch {
    return undefined;
  } finally {
    prompt.close();
  }
}

/** Asks before what cannot be undone, unless `yes`, which is needed where there is no terminal. */
export async function confirm(question: string, { yes }: { yes?: true }): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    misused('this cannot be undone, and there is no terminal to ask at: add --yes');
  return /^y(es)?$/i.test((await promptFor(`${question} [y/N] `)) ?? '');
}

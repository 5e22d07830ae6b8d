import { createInterface } from 'node:readline/promises';
import { exitCodes } from './exit-codes.js';
import { misused } from './input.js';

/** Asks before what cannot be undone. Without a terminal nobody can be asked: `--yes` says it beforehand. */
export async function confirm(question: string, { yes }: { yes?: true }): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    misused('this cannot be undone, and there is no terminal to ask at: add --yes');
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const leaving = new AbortController();
  prompt.once('SIGINT', () => process.exit(exitCodes.interrupted)); // nothing has begun
  prompt.once('close', () => leaving.abort()); // Ctrl-D is no
  try {
    const answer = await prompt.question(`${question} [y/N] `, { signal: leaving.signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    return false;
  } finally {
    prompt.close();
  }
}

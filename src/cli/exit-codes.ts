import {
  ConfigError,
  MisconfiguredError,
  StorageError,
  UnavailableError,
  WalkStoppedError,
  AppError,
} from '../errors.js';
import { explanationOf, operatorHint } from '../oauth-explanations.js';

/** What a script can act on; the README has the same list. */
export const exitCodes = {
  done: 0,
  bug: 1,
  usage: 2,
  /** The environment, or what GetBill says about this client: its id, secret or scopes. */
  configuration: 3,
  /** GetBill said no to this call: not found, not allowed. */
  refused: 4,
  /** GetBill's limit is reached: try later. */
  limit: 5,
  /** GetBill or Redis did not answer. */
  unavailable: 6,
  interrupted: 130,
} as const;

export function exitCodeOf(error: unknown): number {
  if (error instanceof WalkStoppedError) return exitCodeOf(error.cause);
  if (!(error instanceof AppError)) return exitCodes.bug;
  if (error instanceof ConfigError || error instanceof MisconfiguredError) return exitCodes.configuration;
  const oauthError = explanationOf(error.code); // also while a back-off repeats it as `UnavailableError`
  if (oauthError !== undefined) return exitCodes[oauthError.exit];
  if (error.status === 429) return exitCodes.limit;
  if (error instanceof UnavailableError || error instanceof StorageError) return exitCodes.unavailable;
  return error.status >= 400 && error.status < 500 ? exitCodes.refused : exitCodes.unavailable;
}

/** For a person at a terminal, who is the operator: hints included. */
export function explain(error: unknown): string {
  if (error instanceof ConfigError) {
    const lines = error.problems.map((problem) => `  - ${problem}`);
    return [`${error.message}:`, ...lines].join('\n');
  }
  if (!(error instanceof AppError)) return error instanceof Error ? error.message : String(error);
  const { code, retryAfterS, serverSaid } = error;
  const hint = operatorHint(code) ?? error.hint;
  const lines = [`${error.message} (${code})`];
  if (hint !== undefined) lines.push(`  ${hint}`);
  if (serverSaid !== undefined) lines.push(`  GetBill said: ${serverSaid}`);
  if (error.cause instanceof AppError && !(error instanceof WalkStoppedError)) lines.push(`  ${error.cause.message}`);
  if (error.status === 429 && retryAfterS !== undefined) lines.push(`  try again in ${retryAfterS} s`);
  if (error instanceof WalkStoppedError)
    lines.push(`  what came before it is shown; go on with --page ${error.nextPage}`);
  return lines.join('\n');
}

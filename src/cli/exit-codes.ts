import {
  ConfigError,
  InvalidInputError,
  MisconfiguredError,
  StorageError,
  UnavailableError,
  UndocumentedCallError,
  WalkStoppedError,
  AppError,
} from '../errors.js';
import { explanationOf } from '../oauth-explanations.js';

/** The exit codes of the command line; docs/cli.md has the same list. */
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
  if (error instanceof ConfigError || error instanceof MisconfiguredError)
    return exitCodes.configuration;
  if (error instanceof InvalidInputError || error instanceof UndocumentedCallError)
    return exitCodes.usage;
  // also while a back-off repeats it as `UnavailableError`
  const oauthError = explanationOf(error.code);
  if (oauthError !== undefined) return exitCodes[oauthError.exit];
  if (error.status === 429 || error.code === 'token_endpoint_limited') return exitCodes.limit;
  if (error instanceof UnavailableError || error instanceof StorageError)
    return exitCodes.unavailable;
  return error.status >= 400 && error.status < 500 ? exitCodes.refused : exitCodes.unavailable;
}

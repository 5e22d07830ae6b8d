import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import type { AppError } from '../errors.js';
import { operatorHint } from '../oauth-explanations.js';

/** Limits of ours: clients reach them by themselves, also those that respond 503. */
const LIMITS = ['rate_limited', 'too_many_open_calls'];

/**
 * A fault of ours or of GetBill has its whole error in the log; a refused request, and a fault that
 * its hint explains, only the reason; a path that does not exist nothing beside the line per
 * request, because scanners ask for thousands.
 */
export function logFailure(log: Logger, error: AppError, req: Request, res: Response): void {
  if (error.code === 'not_found' && error.status === 404) return;
  const { requestId } = res.locals;
  const { code, status, serverSaid } = error;
  const hint = operatorHint(code) ?? error.hint;
  const fields = { requestId, code, status, path: req.path, hint, serverSaid };
  const reason = { reason: error.message, cause: messageOf(error.cause) };
  // a stack would say no more
  const isExplained = error.hint !== undefined && error.cause === undefined;
  if (status < 500 || LIMITS.includes(code)) log.info({ ...fields, ...reason }, 'request failed');
  else log.error({ ...fields, ...(isExplained ? reason : { err: error }) }, 'request failed');
}

/** V8 quotes the text that is not JSON in its message. */
function messageOf(cause: unknown): string | undefined {
  if (cause instanceof SyntaxError) return 'not valid JSON';
  return cause instanceof Error ? cause.message : undefined;
}

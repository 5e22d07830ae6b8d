import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import type { AppError } from '../errors.js';
import { operatorHint } from '../oauth-explanations.js';

/** Our own limits: reaching one is no fault, although one of them responds 503. */
const LIMITS = ['rate_limited', 'too_many_open_calls'];

/**
 * Logs a fault of ours or of GetBill with its whole error; a refused request, or a fault that its
 * hint explains, with the reason only. A path that does not exist has just the line per request,
 * because scanners ask for thousands.
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

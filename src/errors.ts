import { AppError, UnavailableError, type AppErrorOptions } from './core/errors.js';

export * from './core/errors.js';

/**
 * The environment does not describe a startable app; `problems` names every fault, never a value.
 */
export class ConfigError extends AppError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`${problems.length} problem(s) in the environment`, {
      code: 'config_invalid',
      status: 500,
    });
    this.problems = problems;
  }
}

/**
 * The request itself is at fault; the caller must change it. `headers` (`Allow`) and `details` (the
 * missing scope) go out with the response.
 */
export class RequestError extends AppError {
  readonly headers: Readonly<Record<string, string>>;
  readonly details: Readonly<Record<string, string>>;

  constructor(
    message: string,
    options: AppErrorOptions & {
      headers?: Record<string, string>;
      details?: Record<string, string>;
    },
  ) {
    super(message, options);
    this.headers = options.headers ?? {};
    this.details = options.details ?? {};
  }
}

/** The GetBill API refused a call of ours. Its text is for the log; pages use their own words. */
export class GetbillApiError extends AppError {
  /** The faults by field, where the API names them. */
  readonly fields: Readonly<Record<string, readonly string[]>>;

  constructor({
    status,
    message,
    fields = {},
    retryAfterS,
  }: {
    status: number;
    message: string;
    fields?: Record<string, string[]>;
    retryAfterS?: number;
  }) {
    super(message, {
      code: isAboutRecord(status, message)
        ? 'api_refused'
        : (API_ERROR_CODES[status] ?? 'api_refused'),
      status: status === 401 ? 502 : status,
      ...(retryAfterS !== undefined && { retryAfterS }),
    });
    this.fields = fields;
  }
}

/** GetBill documents no such call, so nothing was sent. */
export class UndocumentedCallError extends GetbillApiError {}

/** A body breaks GetBill's documented rules; nothing was sent. The field `''` is the whole body. */
export class InvalidInputError extends AppError {
  readonly fields: Readonly<Record<string, readonly string[]>>;

  constructor(fields: Record<string, string[]>) {
    super('GetBill would refuse this, so nothing was sent', { code: 'invalid_input', status: 400 });
    this.fields = fields;
  }
}

/** A write was sent, and no response tells its outcome: look at GetBill before it is sent again. */
export class OutcomeUnknownError extends UnavailableError {
  constructor(cause: UnavailableError) {
    const { code, status, message } = cause;
    super(`it is not known whether GetBill has done this: ${message}`, { code, status, cause });
  }
}

/**
 * A walk over a list ended before its last page: nothing before `nextPage` is missing, and there it
 * can go on. `cause` says why.
 */
export class WalkStoppedError extends AppError {
  readonly nextPage: number;

  constructor(cause: AppError, { nextPage }: { nextPage: number }) {
    const { code, status, hint, retryAfterS } = cause;
    super(`stopped before page ${nextPage}: ${cause.message}`, {
      code,
      status,
      cause,
      ...(hint !== undefined && { hint }),
      ...(retryAfterS !== undefined && { retryAfterS }),
    });
    this.nextPage = nextPage;
  }
}

/** "Access denied to this debt": the debt is another company's, so no permission would help. */
const isAboutRecord = (status: number, message: string): boolean =>
  status === 403 && /\bdenied to\b/i.test(message);

const API_ERROR_CODES: Readonly<Record<number, string>> = {
  401: 'api_rejects_token',
  403: 'missing_scope',
  404: 'not_found',
  429: 'getbill_quota_used',
};

/**
 * The text of an error of Redis or of OpenSSL (`reason`), without the password of a URL, and
 * without the arguments of a command that Redis repeats.
 */
export const redisReason = ({ message, reason = message }: Error & { reason?: string }): string =>
  reason.replaceAll(/\/\/[^\s/]*@/g, '//').replace(/, with args beginning with.*/s, '');

/** What an error says besides its message: `hint` is for the operator's log and never rendered. */
interface AppErrorOptions {
  code: string;
  status: number;
  hint?: string;
  cause?: unknown;
  retryAfterS?: number;
}

/** Base of every error we throw on purpose. One subclass per reaction the code has, told apart by `code` inside it. */
export class AppError extends Error {
  readonly code: string;
  readonly status: number;
  readonly hint: string | undefined;
  readonly retryAfterS: number | undefined;

  constructor(message: string, { code, status, hint, cause, retryAfterS }: AppErrorOptions) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.status = status;
    this.hint = hint;
    this.retryAfterS = retryAfterS;
  }
}

/** The environment does not describe a startable app; `problems` names every fault, never a value. */
export class ConfigError extends AppError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`${problems.length} problem(s) in the environment`, { code: 'config_invalid', status: 500 });
    this.problems = problems;
  }
}

/** The request itself is at fault; the caller must change it. `headers` (`Allow`) and `details` (the missing scope) go out with the answer. */
export class RequestError extends AppError {
  readonly headers: Readonly<Record<string, string>>;
  readonly details: Readonly<Record<string, string>>;

  constructor(
    message: string,
    options: AppErrorOptions & { headers?: Record<string, string>; details?: Record<string, string> },
  ) {
    super(message, options);
    this.headers = options.headers ?? {};
    this.details = options.details ?? {};
  }
}

/** A sign-in ended without a session: the page explains `code`, nothing is retried. */
export class SignInError extends AppError {}

/** Nobody is signed in here: pages go to `/login`, the API answers 401 with `login_url`. */
export class NotSignedInError extends AppError {
  constructor(message = 'there is no live session', options: Partial<AppErrorOptions> = {}) {
    super(message, { code: 'not_signed_in', status: 401, ...options });
  }
}

/** The grant behind a session is gone; the session is destroyed before the answer. */
export class GrantEndedError extends NotSignedInError {
  constructor(reason: string, cause?: unknown) {
    super(`the grant has ended: ${reason}`, { code: 'grant_ended', cause });
  }
}

/** The authorization server refused the refresh token or the code (`invalid_grant`, RFC 6749 section 5.2). */
export class GrantRefusedError extends AppError {
  constructor(cause: unknown) {
    super('the authorization server refused the grant', {
      code: 'grant_refused',
      status: 401,
      cause,
      hint: 'the refresh token or code was revoked, expired or already used; the visitor must sign in again',
    });
  }
}

/** The authorization server rejects *us*: credentials, URL or parameters. Nothing is deleted; an operator must act. */
export class MisconfiguredError extends AppError {
  constructor(message: string, options: { oauthError?: string; hint: string; cause?: unknown }) {
    super(message, { code: options.oauthError ?? 'token_endpoint_misconfigured', status: 502, ...options });
  }
}

/** GetBill (token endpoint or API) gave no usable answer this time. Nothing is deleted. */
export class UnavailableError extends AppError {
  constructor(message: string, options: Partial<AppErrorOptions> = {}) {
    super(message, { code: 'getbill_unavailable', status: 503, ...options });
  }
}

/** The GetBill API said no to one of our own calls. Its text is for the log; pages use their own words. */
export class GetbillApiError extends AppError {
  /** What is wrong with which field, where the API says so. */
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
      code: API_ERROR_CODES[status] ?? 'api_refused',
      status: status === 401 ? 502 : status,
      ...(retryAfterS !== undefined && { retryAfterS }),
    });
    this.fields = fields;
  }
}

/** A walk over a list ended before its last page: nothing before `nextPage` is missing, and there it can go on. `cause` says why. */
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

const API_ERROR_CODES: Readonly<Record<number, string>> = {
  401: 'api_rejects_token',
  403: 'missing_scope',
  404: 'not_found',
  429: 'getbill_quota_used',
};

/** Our own storage did not answer. Nothing is deleted, nothing is assumed. */
export class StorageError extends AppError {
  constructor(cause: unknown) {
    super('the session storage did not answer', {
      code: 'storage_unavailable',
      status: 503,
      cause,
      retryAfterS: 1,
      hint: 'is Redis reachable at the configured address, with the right password, and not out of memory?',
    });
  }
}

/** A stored value that is not what we wrote: `broken` (wrong type or authentication tag) or `key_missing`. */
export class RecordError extends AppError {
  constructor(code: 'broken' | 'key_missing', cause?: unknown) {
    super(code === 'broken' ? 'a stored record is broken' : 'a stored record was written with an unknown key', {
      code: `record_${code}`,
      status: 503,
      cause,
      hint:
        code === 'broken'
          ? 'somebody else wrote this key, or it was changed by hand'
          : 'TOKEN_ENCRYPTION_KEY lacks the key this record was written with; put it back as a second entry',
    });
  }
}

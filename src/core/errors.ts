export interface AppErrorOptions {
  code: string;
  /** The HTTP status of a response about this error. */
  status: number;
  /** For the operator's log, never for a visitor. */
  hint?: string | undefined;
  cause?: unknown;
  retryAfterS?: number | undefined;
  /** The authorization server's own words, bounded and cleaned: for the log, never for a page. */
  serverSaid?: string | undefined;
}

/** Base of every error thrown on purpose. One subclass per reaction; `code` tells them apart. */
export class AppError extends Error {
  readonly code: string;
  readonly status: number;
  readonly hint: string | undefined;
  readonly retryAfterS: number | undefined;
  readonly serverSaid: string | undefined;
  /** The page that was asked for, when a sign-in failed. */
  returnTo?: string;

  constructor(message: string, { cause, ...options }: AppErrorOptions) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = options.code;
    this.status = options.status;
    this.hint = options.hint;
    this.retryAfterS = options.retryAfterS;
    this.serverSaid = options.serverSaid;
  }
}

/** A sign-in ended without a session: the page explains `code`, nothing is retried. */
export class SignInError extends AppError {}

/** Nobody is signed in: the visitor must sign in first. */
export class NotSignedInError extends AppError {
  constructor(message = 'there is no live session', options: Partial<AppErrorOptions> = {}) {
    super(message, { code: 'not_signed_in', status: 401, ...options });
  }
}

/** The grant behind a session has ended, or was refused: the visitor must sign in again. */
export class GrantEndedError extends NotSignedInError {
  readonly reason: string;

  constructor(reason: string, cause?: unknown) {
    super(`the grant has ended: ${reason}`, { code: 'grant_ended', cause });
    this.reason = reason;
  }
}

/** The server refused the refresh token or the code (`invalid_grant`, RFC 6749 section 5.2). */
export class GrantRefusedError extends AppError {
  constructor(cause: unknown, { serverSaid }: Pick<AppErrorOptions, 'serverSaid'> = {}) {
    super('the authorization server refused the grant', {
      code: 'grant_refused',
      status: 401,
      hint: 'the token or code was revoked, expired or used before; the visitor must sign in again',
      cause,
      serverSaid,
    });
  }
}

/** The server rejects *us*: credentials, URL, parameters. Nothing is deleted; operators act. */
export class MisconfiguredError extends AppError {
  constructor(message: string, options: Partial<AppErrorOptions> = {}) {
    super(message, { code: 'token_endpoint_misconfigured', status: 502, ...options });
  }
}

/** The server gave no usable response this time. Nothing is deleted. */
export class UnavailableError extends AppError {
  constructor(message: string, options: Partial<AppErrorOptions> = {}) {
    super(message, { code: 'server_unavailable', status: 503, ...options });
  }
}

/** Our own storage did not respond. Nothing is deleted, nothing is assumed. */
export class StorageError extends AppError {
  constructor(cause: unknown) {
    super('the storage did not respond', {
      code: 'storage_unavailable',
      status: 503,
      hint: 'is Redis reachable at its address, with the right password, and not out of memory?',
      cause,
      retryAfterS: 1,
    });
  }
}

const RECORD_FAULTS = {
  broken: ['a stored record is broken', 'somebody else wrote this key, or it was changed by hand'],
  key_missing: [
    'a stored record was written with an unknown key',
    'the encryption keys lack the one this record was written with; put it back as a second entry',
  ],
} as const;

/** A stored value that is not what we wrote: `broken` (wrong type or tag) or `key_missing`. */
export class RecordError extends AppError {
  constructor(code: keyof typeof RECORD_FAULTS, cause?: unknown) {
    const [message, hint] = RECORD_FAULTS[code];
    super(message, { code: `record_${code}`, status: 503, hint, cause });
  }
}

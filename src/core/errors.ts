/**
 * `hint` is for the operator's log and never shown to a visitor. `status` is the HTTP status of a
 * response about this error.
 */
export interface AppErrorOptions {
  code: string;
  status: number;
  hint?: string;
  cause?: unknown;
  retryAfterS?: number;
  /** The authorization server's own words, bounded and cleaned: for the log, never for a page. */
  serverSaid?: string;
}

/** Base of every error thrown on purpose. One subclass per reaction, told apart by `code` inside it. */
export class AppError extends Error {
  readonly code: string;
  readonly status: number;
  readonly hint: string | undefined;
  readonly retryAfterS: number | undefined;
  readonly serverSaid: string | undefined;

  constructor(
    message: string,
    { code, status, hint, cause, retryAfterS, serverSaid }: AppErrorOptions,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.status = status;
    this.hint = hint;
    this.retryAfterS = retryAfterS;
    this.serverSaid = serverSaid;
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
  constructor(reason: string, cause?: unknown) {
    super(`the grant has ended: ${reason}`, { code: 'grant_ended', cause });
  }
}

/** The authorization server refused the refresh token or the code (`invalid_grant`, RFC 6749 section 5.2). */
export class GrantRefusedError extends AppError {
  constructor(cause: unknown, options: { serverSaid?: string } = {}) {
    super('the authorization server refused the grant', {
      code: 'grant_refused',
      status: 401,
      cause,
      hint: 'the refresh token or code was revoked, expired or already used; the visitor must sign in again',
      ...options,
    });
  }
}

/**
 * The authorization server rejects *us*: credentials, URL or parameters. Nothing is deleted; an
 * operator must act.
 */
export class MisconfiguredError extends AppError {
  constructor(
    message: string,
    options: { oauthError?: string; hint?: string; cause?: unknown; serverSaid?: string },
  ) {
    super(message, {
      code: options.oauthError ?? 'token_endpoint_misconfigured',
      status: 502,
      ...options,
    });
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
      cause,
      retryAfterS: 1,
      hint: 'is Redis reachable at the configured address, with the right password, and not out of memory?',
    });
  }
}

/** A stored value that is not what we wrote: `broken` (wrong type or authentication tag) or `key_missing`. */
export class RecordError extends AppError {
  constructor(code: 'broken' | 'key_missing', cause?: unknown) {
    super(
      code === 'broken'
        ? 'a stored record is broken'
        : 'a stored record was written with an unknown key',
      {
        code: `record_${code}`,
        status: 503,
        cause,
        hint:
          code === 'broken'
            ? 'somebody else wrote this key, or it was changed by hand'
            : 'the encryption keys lack the one this record was written with; put it back as a second entry',
      },
    );
  }
}

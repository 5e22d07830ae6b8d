import { AppError, RequestError } from '../errors.js';

/** Errors of Express, body parsers and csurf carry a `status`; anything else is our own fault. */
export function asAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const { status, code } = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as {
    status?: unknown;
    code?: unknown;
  };
  if (code === 'EBADCSRFTOKEN')
    return new RequestError('the CSRF token is missing or wrong', {
      code: 'csrf',
      status: 403,
      cause: thrown,
    });
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new RequestError('the request cannot be read', {
      code: codeOf(status),
      status,
      cause: thrown,
    });
  }
  return new AppError('unexpected error', { code: 'unexpected', status: 500, cause: thrown });
}

const codeOf = (status: number): string =>
  ({ 404: 'not_found', 413: 'body_too_large', 415: 'media_type_not_supported' })[status] ??
  'bad_request';

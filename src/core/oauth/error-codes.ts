/**
 * The error codes of a token endpoint (RFC 6749 section 5.2), of revocation (RFC 7009 section 2.2.1), and the one that
 * servers add for a redirect URI. Nothing else in a member called "error" makes a response an OAuth error: many a
 * framework's 404 has one, too.
 */
const TOKEN_ERRORS = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'unsupported_token_type',
  'redirect_uri_mismatch',
]);

/** The error codes of an authorization response (RFC 6749 section 4.1.2.1), and two that servers add. */
const AUTHORIZATION_ERRORS = new Set([
  'invalid_request',
  'unauthorized_client',
  'access_denied',
  'unsupported_response_type',
  'invalid_scope',
  'server_error',
  'temporarily_unavailable',
  'invalid_client',
  'redirect_uri_mismatch',
]);

export const isTokenError = (code: unknown): code is string =>
  typeof code === 'string' && TOKEN_ERRORS.has(code);
export const isAuthorizationError = (code: string): boolean => AUTHORIZATION_ERRORS.has(code);

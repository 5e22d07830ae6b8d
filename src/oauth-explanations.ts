/**
 * The meaning of an OAuth error and its remedy, in one place for the page, the log, the command
 * line and the doctor. Keyed by the code of our own errors, which is the server's `error` where RFC
 * 6749 or GetBill defines it.
 */
export interface OAuthExplanation {
  /** For the operator. */
  readonly cause: string;
  readonly fix: string;
  /** For the visitor, who can change nothing here but sign in again. */
  readonly visitor: { readonly title: string; readonly why: string; readonly advice: string };
  /** The exit code of the command line, by its name. */
  readonly exit: 'configuration' | 'refused' | 'unavailable';
}

const DASHBOARD = 'the GetBill dashboard (Company > API Client Management)';
const NOT_SET_UP = 'This app is not set up correctly';
const OPERATOR_ADVICE =
  'Sign in again. If that does not help, please tell the people who run this app, with the request number below.';
const NOT_ACCEPTED = {
  title: 'GetBill did not accept our request',
  why: 'Your access may have ended, or this app is not set up correctly.',
};
const AGAIN_SOON = 'Please try again in a moment.';

const rejected = (
  cause: string,
  fix: string,
  visitor: { title?: string; why: string },
): OAuthExplanation => ({
  cause,
  fix,
  visitor: { title: NOT_SET_UP, advice: OPERATOR_ADVICE, ...visitor },
  exit: 'configuration',
});

const explanations: Readonly<Record<string, OAuthExplanation>> = {
  invalid_client: rejected(
    'GetBill does not accept this client id and secret',
    `compare GETBILL_CLIENT_ID and GETBILL_CLIENT_SECRET with ${DASHBOARD}: the right environment, and the client active`,
    {
      why: 'GetBill does not recognise this app: its credentials are wrong, for another environment, or switched off.',
    },
  ),
  unauthorized_client: rejected(
    'this client may not use this grant type',
    `allow the grant type for this client in ${DASHBOARD}`,
    { why: 'GetBill does not let this app ask for a sign-in.' },
  ),
  unsupported_grant_type: rejected(
    'GetBill does not offer this grant type to this client',
    `check the grant types of this client in ${DASHBOARD}, and GETBILL_TOKEN_URL`,
    { why: 'GetBill does not offer what this app asks for.' },
  ),
  unsupported_response_type: rejected(
    'GetBill does not offer the authorization code grant to this client',
    `allow the authorization code grant in ${DASHBOARD}, and check GETBILL_AUTHORIZE_URL`,
    { why: 'GetBill does not let this app ask for a sign-in.' },
  ),
  invalid_scope: rejected(
    'this client may not have a scope it asks for',
    `tick the scope for this client in ${DASHBOARD}, or ask for fewer in GETBILL_SCOPES`,
    {
      title: 'This app asks for too much',
      why: 'It asks GetBill for a permission that it has not been given.',
    },
  ),
  invalid_request: rejected(
    'GetBill does not accept the parameters; at a renewal some servers say so of a dead refresh token',
    'when many people are affected, check GETBILL_AUTHORIZE_URL, GETBILL_TOKEN_URL and the redirect URI; one person must only sign in again',
    NOT_ACCEPTED,
  ),
  redirect_uri_mismatch: rejected(
    'the redirect URI differs from the registered one',
    `register GETBILL_REDIRECT_URI in ${DASHBOARD}, byte for byte: scheme, host, port and path count`,
    { why: 'The address GetBill should send you back to is not the one registered there.' },
  ),
  token_request_rejected: rejected(
    'GetBill rejects the token request with a code of its own',
    'read what GetBill said in this log line; when many people are affected, ask GetBill; one person must only sign in again',
    NOT_ACCEPTED,
  ),
  token_endpoint_misconfigured: rejected(
    'what responds at the address of the token endpoint is none, or says no without an OAuth error',
    'check GETBILL_TOKEN_URL (a redirect is not followed), and what a firewall or proxy puts in its place; when one person alone is affected, that grant is dead',
    NOT_ACCEPTED,
  ),
  token_answer_unusable: {
    cause: 'the token endpoint gave a response that holds no usable token',
    fix: 'check that GETBILL_TOKEN_URL is a token endpoint; if it is, report the response to GetBill',
    visitor: {
      title: 'GetBill gave a response we cannot use',
      why: 'The problem is between this app and GetBill, not with you.',
      advice: OPERATOR_ADVICE,
    },
    exit: 'unavailable',
  },
  access_denied: {
    cause: 'the visitor did not approve',
    fix: 'nothing to change: nobody can sign in without approving',
    visitor: {
      title: 'You did not give access',
      why: 'You chose not to let this app see your GetBill data. Nothing was shared.',
      advice: 'If that was not intended, sign in again and choose Allow.',
    },
    exit: 'refused',
  },
  server_error: {
    cause: 'GetBill had an error of its own',
    fix: 'try again; if it stays, ask GetBill',
    visitor: {
      title: 'GetBill had a problem',
      why: 'GetBill could not complete the sign-in.',
      advice: AGAIN_SOON,
    },
    exit: 'unavailable',
  },
  temporarily_unavailable: {
    cause: 'GetBill is overloaded',
    fix: 'try again later',
    visitor: {
      title: 'GetBill is busy',
      why: 'GetBill could not complete the sign-in right now.',
      advice: AGAIN_SOON,
    },
    exit: 'unavailable',
  },
};

export const oauthErrorCodes: readonly string[] = Object.keys(explanations);

/** `authorization_invalid_scope` and `invalid_scope` are one fault, met at two endpoints. */
export function explanationOf(code: string): OAuthExplanation | undefined {
  const name = code.replace(/^authorization_/, '');
  return Object.hasOwn(explanations, name) ? explanations[name] : undefined;
}

/** Whether the server rejects our request: only the operator, or a new sign-in, can help. */
export const isRejection = (code: string): boolean => explanationOf(code)?.exit === 'configuration';

/** For the log and the terminal. */
export function operatorHint(code: string): string | undefined {
  if (code === 'refresh_rate_limited') {
    return 'more renewals in this minute than RATE_LIMIT_REFRESH allows: raise it, or the API rejects every token it is sent';
  }
  const explanation = explanationOf(code);
  return explanation && `${explanation.cause}: ${explanation.fix}`;
}

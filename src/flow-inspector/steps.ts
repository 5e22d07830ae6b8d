import type { AppEvent, GrantType } from '../events.js';

export type Actor = 'browser' | 'app' | 'getbill' | 'redis';

/** One arrow of the diagram. `code` is where it is done: a path below src/ and a symbol in it. */
export interface FlowStep {
  readonly from: Actor;
  readonly to: Actor;
  readonly title: string;
  readonly why: string;
  readonly rfc?: { readonly text: string; readonly href: string };
  readonly code: { readonly file: string; readonly symbol: string };
  readonly details: readonly (readonly [name: string, value: string])[];
}

const rfc = (number: number, section: string) => ({
  text: `RFC ${number}, section ${section}`,
  href: `https://www.rfc-editor.org/rfc/rfc${number}#section-${section}`,
});
const ms = (value: number): string => `${Math.round(value)} ms`;

const AUTHORIZATION_PARAMETERS: FlowStep['details'] = [
  ['response_type', 'code: send back a code, not a token'],
  ['client_id', 'which app is asking'],
  ['redirect_uri', 'where to send the browser back to; compared byte for byte'],
  ['scope', 'what the app asks to do'],
  ['state', 'random, taken once on the way back, tied to a cookie: nobody can finish a sign-in they did not start'],
  ['code_challenge', 'SHA-256 of a secret that stays here (RFC 7636): a stolen code is worth nothing'],
  ['code_challenge_method', 'S256'],
];

/** What an event looks like as an arrow; events that are no message between two parties have none. */
export function flowStepOf(event: AppEvent): FlowStep | undefined {
  switch (event.type) {
    case 'request_answered':
      return {
        from: 'browser', to: 'app', title: `${event.method} ${event.route}: ${event.status}`,
        why: 'The browser asked, and this app answered.',
        code: { file: 'app.ts', symbol: 'createApp' },
        details: [['status', String(event.status)], ['took', ms(event.durationMs)]],
      }; // prettier-ignore
    case 'login_started':
      return {
        from: 'browser', to: 'getbill', title: 'Authorization request',
        why: 'Sign-in starts: the browser is sent to GetBill with these parameters.', rfc: rfc(6749, '4.1.1'),
        code: { file: 'core/oauth/authorization.ts', symbol: 'createAuthorizationRequest' },
        details: [...AUTHORIZATION_PARAMETERS, ['state (keyed hash)', event.login]],
      }; // prettier-ignore
    case 'login_completed':
      return {
        from: 'app', to: 'redis', title: 'Session and token record written',
        why: 'The tokens are encrypted and stay on the server; the browser gets the number of a session.',
        code: { file: 'web/routes/oauth-callback.ts', symbol: 'completeSignIn' },
        details: [['grant (keyed hash)', event.grant], ['scopes', event.scopes.join(' ')], ['replaced an older session', event.replaced ? 'yes' : 'no']],
      }; // prettier-ignore
    case 'login_failed':
      return {
        from: 'getbill', to: 'app', title: `Sign-in ended: ${event.reason}`,
        why: 'No session was made.', rfc: rfc(6749, '4.1.2.1'),
        code: { file: 'core/sign-in/sign-in.ts', symbol: 'createSignIn' }, details: [['reason', event.reason]],
      }; // prettier-ignore
    case 'token_requested':
      return {
        from: 'app', to: 'getbill', title: `${TOKEN_CALLS[event.grantType].title}: ${event.outcome}`,
        why: TOKEN_CALLS[event.grantType].why, rfc: event.grantType === 'refresh_token' ? rfc(6749, '6') : rfc(6749, '4.1.3'),
        code: { file: 'core/oauth/token-endpoint.ts', symbol: 'createTokenEndpoint' },
        details: [
          ['sent (names only)', event.parameters.join(', ')],
          ['status', String(event.status ?? 'no answer')],
          ['took', ms(event.durationMs)],
          ...Object.entries(event.shape ?? {}).map(([key, type]) => [`answer: ${key}`, type] as const),
        ],
      }; // prettier-ignore
    case 'token_refreshed':
      return {
        from: 'app', to: 'redis', title: 'Access token renewed',
        why: WHY_RENEWED[event.trigger],
        code: { file: 'core/tokens/renew-under-lease.ts', symbol: 'createRenewUnderLease' },
        details: [['led by', 'this process, holding the lease'], ['reason', event.trigger], ['new refresh token', event.rotated ? 'yes' : 'no, the old one stays'], ['grant (keyed hash)', event.grant]],
      }; // prettier-ignore
    case 'refresh_waited':
    case 'refresh_joined':
      return {
        from: 'redis', to: 'app', title: event.type === 'refresh_joined' ? 'Joined a renewal already running' : 'Waited for another process',
        why: 'Somebody else is renewing this grant; two renewals at once would end it at a strict server.',
        code: { file: 'core/tokens/renewals.ts', symbol: 'createRenewals' }, details: [['waited', ms(event.waitedMs)]],
      }; // prettier-ignore
    case 'refresh_failed':
      return {
        from: 'getbill', to: 'app', title: `Renewal did not succeed: ${event.outcome}`,
        why: event.outcome === 'refused' ? 'GetBill ended the grant; the next click signs in again.' : 'Nothing is lost: a token that still lives goes on being used.',
        code: { file: 'core/tokens/renew-under-lease.ts', symbol: 'createRenewUnderLease' }, details: [['reason', event.reason]],
      }; // prettier-ignore
    case 'api_called':
      return {
        from: 'app', to: 'getbill', title: `${event.method} ${event.route}: ${event.status}`,
        why: 'The call carries the access token; the browser never sees it.', rfc: rfc(6750, '2.1'),
        code: { file: 'getbill/forward.ts', symbol: 'createForward' },
        details: [['status', String(event.status)], ['took', ms(event.durationMs)], ...Object.entries(event.shapeOf() ?? {}).map(([key, type]) => [`answer: ${key}`, type] as const)],
      }; // prettier-ignore
    case 'api_replayed':
      return {
        from: 'app', to: 'getbill', title: 'Sent again with the newer token',
        why: 'The API answered 401: the token had been renewed, or ended early. Once, never twice.', rfc: rfc(6750, '3.1'),
        code: { file: 'getbill/forward.ts', symbol: 'createForward' }, details: [['route', event.route]],
      }; // prettier-ignore
    case 'session_ended':
      return {
        from: 'app', to: 'redis', title: `Session ended: ${event.reason}`,
        why: 'The token record is deleted first, then the session.',
        code: { file: 'core/tokens/token-manager.ts', symbol: 'createTokenManager' },
        details: [['reason', event.reason], ['grant (keyed hash)', event.grant]],
      }; // prettier-ignore
    case 'token_revoked':
      return {
        from: 'app', to: 'getbill', title: `Revocation: ${event.outcome}`,
        why: 'GetBill is told that the tokens are no longer needed.', rfc: rfc(7009, '2.1'),
        code: { file: 'core/oauth/revocations.ts', symbol: 'createRevocations' }, details: [],
      }; // prettier-ignore
    // no message between two parties
    case 'api_failed':
    case 'client_secret_fallback':
    case 'key_missing':
    case 'login_repeated':
    case 'quota_exhausted':
    case 'rate_limited':
    case 'refresh_reused':
    case 'request_refused':
    case 'scope_widened':
    case 'session_broken':
    case 'session_expired':
    case 'session_touch_failed':
    case 'storage_failed':
    case 'record_replaced':
    case 'tls_failed':
    case 'token_write_delayed':
    case 'webhook_received':
    case 'webhook_refused':
    case 'webhook_handled':
    case 'webhook_failed':
      return undefined;
  }
}

// prettier-ignore
const TOKEN_CALLS: Record<GrantType, { title: string; why: string }> = {
  authorization_code: { title: 'Code exchange', why: 'The code from the browser is exchanged for tokens, from server to server.' },
  refresh_token: { title: 'Refresh request', why: 'The refresh token is exchanged for a new access token, from server to server.' },
  client_credentials: { title: 'App token request', why: 'The app asks for a token of its own, for no user.' },
  revocation: { title: 'Revocation', why: 'A token is given back.' },
};
const WHY_RENEWED = {
  margin: 'It was about to expire. Requests meanwhile went on with the old one; nobody waited.',
  expired: 'It had expired; the request waited for this renewal.',
  rejected: 'The API rejected it (401); it was renewed and the call sent again.',
};

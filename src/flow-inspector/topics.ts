/** The explanation of a step: its reason, the section of the standard, and its function. */
export interface Topic {
  readonly why: string;
  readonly rfc?: { readonly text: string; readonly href: string };
  /** A path below `src/` and the name of a function in it. */
  readonly code?: { readonly file: string; readonly symbol: string };
}

const rfc = (number: number, section: string): Topic['rfc'] & object => ({
  text: `RFC ${number}, section ${section}`,
  href: `https://www.rfc-editor.org/rfc/rfc${number}#section-${section}`,
});

const code = (file: string, symbol: string): Topic['code'] & object => ({ file, symbol });

const tokenResponse = code('core/oauth/token-response.ts', 'judgeTokenResponse');

export const topics = {
  page: {
    why: 'The browser asks for a page. Its session cookie says whose tokens are used; the tokens stay on the server.',
    code: code('core/tokens/token-manager.ts', 'fresh'),
  },
  login: {
    why: 'Sign-in starts here: the app makes a state and a code verifier, keeps them, and sends the browser to GetBill.',
    rfc: rfc(6749, '4.1'),
    code: code('core/sign-in/sign-in.ts', 'start'),
  },
  callback: {
    why: 'The browser brings code and state. The state is taken once, together with the cookie of this browser: nobody can finish a sign-in that they did not start.',
    rfc: rfc(6749, '10.12'),
    code: code('core/sign-in/sign-in.ts', 'complete'),
  },
  logout: {
    why: 'The token record is deleted first, then the session, then the cookies.',
    code: code('core/tokens/token-manager.ts', 'forget'),
  },
  authorize: {
    why: 'The browser takes the authorization request to GetBill. code_challenge is the SHA-256 of a secret that stays here: a stolen code is worth nothing.',
    rfc: rfc(6749, '4.1.1'),
    code: code('core/oauth/authorization.ts', 'createAuthorizationRequest'),
  },
  authorized: {
    why: 'GetBill sends the browser back with the authorization response: a code that works once, and our state unchanged.',
    rfc: rfc(6749, '4.1.2'),
    code: code('core/oauth/authorization.ts', 'stateOf'),
  },
  authorization_code: {
    why: 'The code is exchanged for tokens, from server to server, with the code verifier that belongs to it. It is sent once.',
    rfc: rfc(6749, '4.1.3'),
    code: code('core/oauth/token-endpoint.ts', 'exchangeCode'),
  },
  refresh_token: {
    why: 'The refresh token is exchanged for a new access token. It is sent once: a strict server ends the grant when it sees a spent one again.',
    rfc: rfc(6749, '6'),
    code: code('core/tokens/renew-under-lease.ts', 'call'),
  },
  client_credentials: {
    why: 'The app asks for a token of its own, for no person.',
    rfc: rfc(6749, '4.4'),
    code: code('core/oauth/token-endpoint.ts', 'clientCredentials'),
  },
  revocation: {
    why: 'GetBill is told that a token is no longer needed.',
    rfc: rfc(7009, '2.1'),
    code: code('core/oauth/token-endpoint.ts', 'revoke'),
  },
  token_response: {
    why: 'The response is judged by status and error code, never by its text.',
    rfc: rfc(6749, '5'),
    code: tokenResponse,
  },
  api: {
    why: 'The call carries the access token of this session. The browser never sees it.',
    rfc: rfc(6750, '2.1'),
    code: code('getbill/forward.ts', 'headersOf'),
  },
  api_response: {
    why: 'The response is passed on only when it is JSON and does not contradict itself.',
    code: code('getbill/api-response.ts', 'judgeResponse'),
  },
  replay: {
    why: 'A 401 means that the token had been renewed elsewhere, or ended early. The call is sent again with the newer token: once, never twice.',
    rfc: rfc(6750, '3.1'),
    code: code('getbill/forward.ts', 'forward'),
  },
  lease: {
    why: 'One process at a time renews a grant. The lease ends by itself, so a process that dies stops nobody.',
    code: code('core/tokens/leases.ts', 'acquire'),
  },
  wait: {
    why: 'Another process renews this grant; two renewals at once would end it at a strict server. So this one waits and then uses the result.',
    code: code('core/tokens/leases.ts', 'wait'),
  },
  join: {
    why: 'A renewal of this grant already runs in this process. All who need it share its result.',
    code: code('core/tokens/renewals.ts', 'wait'),
  },
  reuse: {
    why: 'The record is read again under the lease. Somebody else had renewed it, so there is nothing to do.',
    code: code('core/tokens/renew-under-lease.ts', 'reuse'),
  },
  renewal: {
    why: 'One renewal for all who need it, in all processes.',
    rfc: rfc(6749, '1.5'),
    code: code('core/tokens/renew-under-lease.ts', 'renewUnderLease'),
  },
  rotation: {
    why: 'The new tokens replace the old ones in one step, only if nobody changed the record meanwhile.',
    rfc: rfc(9700, '4.14'),
    code: code('core/tokens/renew-under-lease.ts', 'settle'),
  },
  pause: {
    why: 'After a failed renewal nobody calls for this grant until a pause is over. A token that is still good is used on.',
    code: code('core/tokens/renewal-guards.ts', 'pauseAfter'),
  },
  not_asked: {
    why: 'An earlier renewal failed, and nobody calls for this grant until the pause after it is over.',
    code: code('core/tokens/renewal-guards.ts', 'pauseAfter'),
  },
  ended: {
    why: 'A grant ends only when GetBill refuses the very token on record, or when the person signs out.',
    code: code('core/tokens/renew-under-lease.ts', 'end'),
  },
  pending_login: {
    why: 'State, code verifier and the page to come back to, encrypted, for an hour. The key is made of the state and of the cookie of this browser.',
    rfc: rfc(7636, '4.1'),
    code: code('core/sign-in/pending-logins.ts', 'createPendingLogins'),
  },
  tokens_record: {
    why: 'The tokens, encrypted and bound to this session. They leave the server only for GetBill.',
    code: code('core/tokens/token-records.ts', 'seal'),
  },
  session: {
    why: 'A session is written once, at the end of a sign-in, under a new id. No token is in it.',
    code: code('web/session/session-record.ts', 'sessionFrom'),
  },
  signed_in: {
    why: 'The browser has the cookie of a new session, which is written once, under a new id. No token is in it.',
    code: code('web/session/session-record.ts', 'sessionFrom'),
  },
  quota: {
    why: 'All users of this app share one limit at GetBill. Once it is used up nobody calls until it starts anew.',
    code: code('getbill/quota.ts', 'admit'),
  },
  limit: {
    why: 'A limit of this app was reached, so the request goes no further.',
    code: code('limits/shared-limits.ts', 'createSharedLimits'),
  },
  given_up: {
    why: 'Only a GET whose connection was lost is sent twice. Whatever else goes wrong is told to the browser.',
    code: code('getbill/upstream-call.ts', 'callUpstream'),
  },
  sign_in_end: {
    why: 'Every way back from GetBill has one outcome.',
    rfc: rfc(6749, '4.1.2.1'),
    code: code('core/oauth/authorization.ts', 'validateAuthorizationResponse'),
  },
  refused: { why: 'The request was refused for safety before it could do anything.' },
  note: { why: 'Something that the people who run this app should know.' },
} satisfies Record<string, Topic>;

export type TopicName = keyof typeof topics;

export const topicOf = (name: string): Topic =>
  Object.hasOwn(topics, name) ? topics[name as TopicName] : topics.note;

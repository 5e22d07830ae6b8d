export const errorGroups = [
  'Signing in',
  'OAuth errors of GetBill',
  'Sessions and tokens',
  'Calls to GetBill',
  'Requests to this app',
  'This app',
] as const;
export type ErrorGroup = (typeof errorGroups)[number];

/** The usual HTTP status, why it happens, and what an operator or developer does about it. */
export type ErrorFacts = readonly [status: number, cause: string, fix: string];

const PROXY_FIX =
  'check that the proxy in front passes on Host and X-Forwarded-Proto, and PUBLIC_URL and TRUST_PROXY; npm run doctor looks closer';
const REACH_FIX =
  'npm run doctor names the host and the reason; look at GETBILL_BASE_URL, DNS, firewall and HTTPS_PROXY';
const OPERATOR_READS_LOG = 'look the request number up in the log';
const NOT_GETBILL =
  'check GETBILL_API_URL, and what a proxy or firewall puts in place of the response; else report it to GetBill with the time of the call';

/** By group and code: every code of our responses that `oauth-explanations.ts` does not explain. */
export const errorFacts: Readonly<Record<ErrorGroup, Readonly<Record<string, ErrorFacts>>>> = {
  'Signing in': {
    callback_malformed: [
      400,
      'the callback has not exactly one usable state and one code or error, or its state or iss is not that of this sign-in',
      'start again; when it happens to everybody, look for a proxy that changes queries, and compare GETBILL_ISSUER with the issuer GetBill sends',
    ],
    login_unknown: [
      400,
      'the state is unknown: the sign-in was completed before, is older than an hour, or was never started here',
      'start again; many at a time are replays or attacks',
    ],
    login_cookie_missing: [
      400,
      'the browser came back without the cookie that binds the sign-in to it',
      'compare PUBLIC_URL with the address that the browser shows, and allow cookies for it',
    ],
    session_cookie_lost: [
      400,
      'a sign-in was completed a moment ago, and the session cookie did not come back: going on would loop',
      'look for blocked cookies, and for another cookie of the same name on a parent domain or path',
    ],
    grant_ended_at_once: [
      502,
      'GetBill rejected the tokens of two sign-ins in a row on their first page: going on would loop',
      'compare GETBILL_API_URL with GETBILL_TOKEN_URL: they may be of different environments; look whether the client is active at GetBill',
    ],
    code_refused: [
      400,
      'GetBill refused the authorization code: used before, too old, or made for another redirect URI or client',
      'start again; when it happens to everybody, compare the clock, GETBILL_REDIRECT_URI and the client with those at GetBill',
    ],
    session_secret_differs: [
      500,
      'the session cookie of a sign-in just completed is not signed with the SESSION_SECRET of this process',
      'give every process the same SESSION_SECRET; while it is changed, new,old',
    ],
    origin_mismatch: [
      500,
      'the request did not arrive under the address of PUBLIC_URL, although the browser was sent there',
      PROXY_FIX,
    ],
    navigation_only: [
      403,
      'an image, a frame, a script or fetch asked for the sign-in, which only a person may start',
      'lead to /login with a link or by setting location',
    ],
  },
  'OAuth errors of GetBill': {
    invalid_grant: [
      400,
      'the authorization code or the refresh token is wrong, used, expired or revoked, or belongs to another client',
      'the visitor signs in again: this app says code_refused at a sign-in, and grant_ended at a renewal',
    ],
    authorization_failed: [
      400,
      'GetBill came back with an error code of its own',
      'read what GetBill said in the log line of this request',
    ],
  },
  'Sessions and tokens': {
    not_signed_in: [
      401,
      'the request has no live session: never signed in, signed out, idle for too long, or the cookie was not sent',
      'lead the browser to login_url; a script must send its request to the same origin, so that the cookie goes along',
    ],
    grant_ended: [
      401,
      'GetBill refused to renew the access, or the access was ended here: the session is over',
      'sign in again; when it happens to many, look for a client or secret that was replaced at GetBill',
    ],
    grant_refused: [
      401,
      'GetBill refused the refresh token: revoked, expired or already used',
      'sign in again',
    ],
    refresh_rate_limited: [
      503,
      'more renewals in this minute than RATE_LIMIT_REFRESH allows for all users together',
      'wait for Retry-After; if it goes on, raise RATE_LIMIT_REFRESH, or find out why tokens are rejected',
    ],
    renewal_not_finished: [
      503,
      'another process is renewing this grant and has not finished in time',
      'try again in a second; if it goes on, look at how fast the token endpoint responds',
    ],
    lease_overrun: [
      503,
      'the right to renew ended before the token endpoint could be called, so that it was not called',
      'try again; if it goes on, look for a process that stops for seconds, or a slow Redis',
    ],
    token_endpoint_busy: [
      502,
      'the token endpoint responded with 5xx',
      'wait for Retry-After: nothing was deleted, and the next request tries again',
    ],
    token_endpoint_limited: [
      502,
      'the token endpoint responded with 429: too many requests for tokens',
      'wait for Retry-After: nothing was deleted, and the next request tries again; if it goes on, find out why so many tokens are asked for',
    ],
    server_unavailable: [
      503,
      'the access token must be renewed, and GetBill does not do it now; after a failure all processes pause for a few seconds',
      `wait for Retry-After: nothing was deleted. ${REACH_FIX}`,
    ],
    record_key_missing: [
      503,
      'the record of this session was encrypted with a key that this process does not have',
      'put the old key back as a further entry of TOKEN_ENCRYPTION_KEY',
    ],
    record_broken: [
      503,
      'a record in Redis is not what this app wrote',
      'look for another program that writes below REDIS_PREFIX; the visitor signs in again',
    ],
    storage_unavailable: [
      503,
      'Redis did not respond, or responded with an error',
      'is it reachable at REDIS_URL, with the right password, and not out of memory? Nobody is signed out by it',
    ],
  },
  'Calls to GetBill': {
    getbill_unreachable: [502, 'no connection to GetBill, or it was cut', REACH_FIX],
    getbill_timeout: [
      504,
      'GetBill did not respond within GETBILL_TIMEOUT_MS',
      'try again. A write may have been done: look before it is sent again',
    ],
    getbill_error: [
      502,
      'GetBill responded with a 5xx, or with 200 and an error of its own',
      'try again later; if it stays, ask GetBill with the time of the call',
    ],
    answer_not_json: [502, 'the response is not JSON: mostly the page of a proxy', NOT_GETBILL],
    answer_redirects: [502, 'the response is a redirect, which is not followed', NOT_GETBILL],
    answer_status_unexpected: [502, 'a status that answers no request of ours', NOT_GETBILL],
    answer_contradicts_itself: [
      502,
      'the status says success and the body says error, without a code that could be believed',
      NOT_GETBILL,
    ],
    answer_unexpected_shape: [502, 'the JSON has not the documented shape', NOT_GETBILL],
    answer_too_large: [
      502,
      'the response is larger than 16 MiB, or than 1 MiB where it has to be parsed',
      'ask for fewer records with limit',
    ],
    getbill_quota_used: [
      429,
      'the hourly limit of GetBill for this client is used up, or nearly for a caller that can wait',
      'wait for Retry-After; ask less often, use webhooks, or ask GetBill for more',
    ],
    getbill_quota_low: [
      429,
      'the rest of the hourly limit is kept for the pages that people open',
      'wait for Retry-After',
    ],
    getbill_share_used: [
      429,
      'this company has used its quarter of the hourly limit of GetBill',
      'wait for Retry-After, and spread the calls',
    ],
    too_many_open_calls: [
      503,
      'this session has too many calls (503) or pages (429) under way at the same time',
      'wait for responses before asking for more',
    ],
    missing_scope: [
      403,
      'the permission that this call needs was not granted; the field scope names it',
      'give it on /connection, and tick it for the client at GetBill; GETBILL_SCOPES asks for it at every sign-in',
    ],
    api_rejects_token: [
      502,
      'the API rejects a token that was renewed a moment ago',
      'compare GETBILL_API_URL with GETBILL_TOKEN_URL: they may be of different environments',
    ],
    api_refused: [
      400,
      'GetBill refused the call: the response has its reason',
      'change the request',
    ],
  },
  'Requests to this app': {
    not_found: [404, 'no such page, endpoint or record', 'compare the path with docs/routes.md'],
    method_not_allowed: [
      405,
      'the path does not accept this method',
      'use one that the header Allow names',
    ],
    bad_request: [400, 'the request cannot be read', 'send valid JSON in UTF-8, or a form'],
    body_too_large: [413, 'the body is too large', 'send at most 1 MiB to /api, 10 kB to a form'],
    media_type_not_supported: [
      415,
      'the body is of another media type, or compressed',
      'send application/json to /api, uncompressed and in UTF-8',
    ],
    csrf: [
      403,
      'the CSRF token is missing or not that of this session',
      'send the csrfToken of /session in the header X-CSRF-Token, or as _csrf in a form',
    ],
    foreign_origin: [
      403,
      'the request says that it comes from another site',
      'send it from a page under PUBLIC_URL: there is no CORS on purpose',
    ],
    rate_limited: [
      429,
      'more requests in a minute than RATE_LIMIT_LOGIN, _CALLBACK, _API or _PAGES allows',
      'wait for Retry-After',
    ],
    insecure_request: [
      500,
      'PUBLIC_URL is https, and this request did not arrive as https',
      PROXY_FIX,
    ],
    browser_left: [
      499,
      'the browser went before it had its response: nobody reads this code but in the log',
      'nothing to do; many at a time say that responses are slow',
    ],
    metrics_token: [
      401,
      'the bearer token of /metrics is missing or wrong',
      'send METRICS_TOKEN as a bearer token',
    ],
  },
  'This app': {
    unexpected: [500, 'an error that this app did not expect', OPERATOR_READS_LOG],
  },
};

import type {
  AppEvent,
  GrantType,
  RefreshFailure,
  SessionEndReason,
  TokenOutcome,
  WaitOutcome,
} from '../events.js';

type Event<T extends AppEvent['type']> = Extract<AppEvent, { type: T }>;

const classes = ['2xx', '3xx', '4xx', '5xx'] as const;
const grantTypes: GrantType[] = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'revocation',
];
const tokenOutcomes: TokenOutcome[] = ['ok', 'refused', 'misconfigured', 'transient'];
const refreshFailures: RefreshFailure[] = ['refused', 'misconfigured', 'transient', 'limited'];
const waitOutcomes: WaitOutcome[] = ['renewed', 'ended', 'paused', 'taken_over', 'no_lease'];
const endReasons: Record<SessionEndReason, true> = {
  signed_out: true,
  replaced: true,
  refused: true,
  answer_lost: true,
  record_gone: true,
  broken_record: true,
  no_refresh_token: true,
};

/** Codes that an error page or the log may name; any other counts as `other`. */
const reasons = {
  login: [
    'authorization_access_denied',
    'authorization_failed',
    'authorization_invalid_client',
    'authorization_invalid_request',
    'authorization_redirect_uri_mismatch',
    'authorization_invalid_scope',
    'authorization_server_error',
    'authorization_temporarily_unavailable',
    'authorization_unauthorized_client',
    'authorization_unsupported_response_type',
    'callback_malformed',
    'code_refused',
    'getbill_timeout',
    'getbill_unreachable',
    'invalid_client',
    'invalid_request',
    'invalid_scope',
    'login_cookie_missing',
    'login_unknown',
    'redirect_uri_mismatch',
    'storage_unavailable',
    'token_answer_unusable',
    'token_endpoint_busy',
    'token_endpoint_limited',
    'token_endpoint_misconfigured',
    'token_request_rejected',
    'unauthorized_client',
    'unexpected',
    'unsupported_grant_type',
    'other',
  ],
  api: [
    'answer_contradicts_itself',
    'answer_not_json',
    'answer_redirects',
    'answer_status_unexpected',
    'answer_too_large',
    'answer_unexpected_shape',
    'browser_left',
    'getbill_error',
    'getbill_timeout',
    'getbill_unreachable',
    'too_many_open_calls',
    'unexpected',
    'other',
  ],
  webhook: [
    'method',
    'media_type',
    'too_large',
    'too_slow',
    'cut_off',
    'signature_absent',
    'signature_malformed',
    'signature_different',
    'not_an_event',
    'too_old',
    'not_stored',
    'other',
  ],
} as const;

/** Scopes that GetBill documents. */
const scopes = [
  'company:read',
  'creditors:read',
  'creditors:write',
  'debtors:read',
  'debtors:write',
  'debts:read',
  'debts:write',
  'followups:read',
  'followups:write',
  'reports:read',
  'users:read',
  'webhooks:read',
  'other',
] as const;

export const knownScope = (scope: string): string =>
  (scopes as readonly string[]).includes(scope) ? scope : 'other';

export function knownReason(kind: keyof typeof reasons, reason: string): string {
  return (reasons[kind] as readonly string[]).includes(reason) ? reason : 'other';
}

const FOR_MACHINES = /^\/(healthz|readyz|metrics|assets|webhooks)(\/|$)/;

/**
 * Health checks, metrics and assets are asked for by machines, unknown paths by scanners: they
 * would hide that every request of a person fails.
 */
export function audienceOf({ route, status }: Pick<Event<'request_answered'>, 'route' | 'status'>) {
  const isScanner = route === 'unmatched' && status < 500;
  return isScanner || FOR_MACHINES.test(route) ? 'machines' : 'people';
}

export function statusClass(status: number): (typeof classes)[number] {
  return classes[Math.min(Math.max(Math.floor(status / 100), 2), 5) - 2] ?? '5xx';
}

/** The series that exist before their first event. */
export const initialLabels = {
  responses: ['people', 'machines'].flatMap((audience) =>
    classes.map((one) => ({ audience, class: one })),
  ),
  tokenCalls: grantTypes.flatMap((type) =>
    tokenOutcomes.map((outcome) => ({ grant_type: type, outcome })),
  ),
  renewals: [
    ...['renewed', 'reused', ...refreshFailures].map((outcome) => ({ role: 'led', outcome })),
    { role: 'joined', outcome: 'joined' },
    ...waitOutcomes.map((outcome) => ({ role: 'waited', outcome })),
  ],
  logins: [
    ...['started', 'completed', 'repeated'].map((outcome) => ({ outcome, reason: '' })),
    ...reasons.login.map((reason) => ({ outcome: 'failed', reason })),
  ],
  apiFailures: reasons.api,
  scopes,
  renewalReasons: ['margin', 'expired', 'rejected'],
  sessionsEnded: [...Object.keys(endReasons), 'expired'],
  limits: [
    'login',
    'callback',
    'api',
    'pages',
    'session',
    'streams',
    'open_pages',
    'open_calls',
    'share',
    'refresh',
  ],
  refused: ['csrf', 'foreign_origin', 'navigation_only'],
  webhooks: ['new', 'duplicate', 'handled', 'failed', 'given_up'],
  webhooksRefused: reasons.webhook,
  faults: [
    'storage_failed',
    'record_replaced',
    'token_write_delayed',
    'key_missing',
    'tls_failed',
    'client_secret_fallback',
    'quota_exhausted',
    'scope_widened',
    'session_broken',
    'session_touch_failed',
    'revocation_failed',
  ],
} as const;

import type { AppEvent } from '../events.js';

/** The documentation of an event, for operators. */
export interface EventTexts {
  readonly when: string;
  /** Of the fields that do not explain themselves. */
  readonly notes?: Readonly<Record<string, string>>;
  /** `false` for what happens on every call and says nothing about security. */
  readonly isAudited: boolean;
  /** The operator's reaction when the event is in the log. */
  readonly action: string;
}

/**
 * Every event of `AppEvent`, in words. The audit log reads from it what to write; `npm run docs`
 * makes the table of docs/events.md of it, with the fields of the type.
 */
export const eventCatalogue: Readonly<Record<AppEvent['type'], EventTexts>> = {
  request_answered: {
    when: 'any request has been answered',
    isAudited: false,
    action: 'nothing; metrics and request log',
  },
  login_started: {
    when: 'a browser is sent to GetBill',
    isAudited: true,
    action: 'nothing',
  },
  login_completed: {
    when: 'somebody is signed in',
    notes: { replaced: 'another session of this browser ended' },
    isAudited: true,
    action: 'nothing',
  },
  login_failed: {
    when: 'a callback ended without a session',
    notes: { reason: 'the code of the error page' },
    isAudited: true,
    action:
      'watch the rate; many `login_cookie_missing` mean a wrong `PUBLIC_URL` or blocked cookies, `login_unknown` replays or attacks, `invalid_client` and `invalid_scope` wrong settings',
  },
  login_repeated: {
    when: 'a callback came again while signed in (Back button)',
    isAudited: true,
    action: 'nothing',
  },
  scope_widened: {
    when: 'GetBill granted more than was asked for',
    isAudited: true,
    action: 'compare `GETBILL_SCOPES` with the client at GetBill',
  },
  token_requested: {
    when: 'the token or revocation endpoint was called',
    notes: {
      parameters: 'names only',
      shape: 'names and types only',
      serverSaid: 'at most 266 characters of GetBill’s own error',
    },
    isAudited: true,
    action:
      '`misconfigured`: act, GetBill rejects our credentials, URL or parameters; `transient`: watch',
  },
  client_secret_fallback: {
    when: 'the first client secret was rejected and the next is tried',
    isAudited: true,
    action: 'while rotating: nothing; otherwise the first secret is wrong',
  },
  token_refreshed: {
    when: 'an access token was renewed',
    isAudited: true,
    action: 'nothing; `trigger` `rejected` all the time means that GetBill ends tokens early',
  },
  refresh_joined: {
    when: 'a caller waited for a renewal in this process',
    isAudited: true,
    action: 'nothing',
  },
  refresh_waited: {
    when: 'a caller waited for a renewal in another process',
    isAudited: true,
    action: 'many `no_lease`: look at Redis',
  },
  refresh_reused: {
    when: 'a renewal found the work done already',
    isAudited: false,
    action: 'nothing',
  },
  refresh_failed: {
    when: 'a renewal brought no token',
    isAudited: true,
    action:
      '`misconfigured`: act; `transient`: watch; `refused`: nothing, the visitor signs in again; `limited`: raise `RATE_LIMIT_REFRESH`, or the API rejects every token it is sent',
  },
  token_write_delayed: {
    when: 'a renewed token could not be stored and is kept in memory',
    isAudited: true,
    action: 'look at Redis, and do not stop this process before it has answered again',
  },
  token_revoked: {
    when: 'GetBill was told that a grant has ended',
    isAudited: true,
    action:
      '`failed`: both tries did; check `GETBILL_REVOKE_URL`, or end the access at GetBill by hand',
  },
  session_ended: {
    when: 'a grant has ended',
    isAudited: true,
    action:
      '`answer_lost` is explained in [limits.md](limits.md); many `refused` at once: something was revoked at GetBill',
  },
  session_expired: {
    when: 'a validly signed cookie came whose session is gone',
    isAudited: true,
    action: 'nothing',
  },
  session_broken: {
    when: 'a session record is not what the app wrote; removed',
    isAudited: true,
    action: 'find out who else writes to this Redis',
  },
  session_touch_failed: {
    when: 'the idle time could not be extended',
    isAudited: true,
    action: 'look at Redis',
  },
  key_missing: {
    when: 'a record was written with an encryption key that is unknown here',
    isAudited: true,
    action:
      'put the key back into `TOKEN_ENCRYPTION_KEY` as a later entry; nothing is lost until then',
  },
  storage_failed: {
    when: 'Redis did not answer a command in time, or with an error',
    notes: { reason: 'of `ping`, which is `/readyz`: the words of Redis' },
    isAudited: true,
    action: 'look at Redis: reachable, password, memory',
  },
  record_replaced: {
    when: 'a record in Redis is not what the app wrote; it counts as absent',
    isAudited: true,
    action: 'find out who else writes to this Redis',
  },
  api_called: {
    when: 'the GetBill API was called',
    isAudited: false,
    action: 'nothing; metrics',
  },
  api_not_asked: {
    when: "the API was not called: GetBill's limit is used up, or what is left is for people",
    isAudited: false,
    action: 'nothing; see `quota_exhausted`',
  },
  api_replayed: {
    when: 'a call was made again with a newer token, after a 401',
    isAudited: true,
    action: 'nothing',
  },
  api_failed: {
    when: 'a call of the API gave no usable response',
    isAudited: true,
    action:
      'watch the rate; `getbill_timeout` and `getbill_unreachable`: is GetBill up, is the way there open',
  },
  tls_failed: {
    when: 'a certificate of GetBill or of the proxy to it was not trusted or not pinned',
    isAudited: true,
    action:
      'act: an attack, an expired certificate, or a missing `GETBILL_CA_FILE` or pin; `host` may be a proxy: `NODE_EXTRA_CA_CERTS`',
  },
  quota_exhausted: {
    when: "GetBill's quota for all our users is used up",
    isAudited: true,
    action: 'ask GetBill for more, or lower `RATE_LIMIT_API`',
  },
  request_refused: {
    when: 'a request was refused for safety',
    notes: { reason: '`csrf`, `foreign_origin`, `navigation_only`' },
    isAudited: true,
    action: 'single ones: nothing; many: somebody tries to act in the name of visitors',
  },
  webhook_received: {
    when: 'a webhook was verified and stored',
    isAudited: true,
    action: 'nothing',
  },
  webhook_refused: {
    when: 'a webhook was not acknowledged',
    isAudited: true,
    action:
      "`signature_different`: compare the secret with GetBill's; `not_stored`: look at Redis, GetBill sends it again; `too_old`: the time at GETBILL_WEBHOOK_TIME_FIELD is missing, or more than 5 minutes before or after our clock, so compare the clock and the field; single others: nothing",
  },
  webhook_handled: {
    when: 'a handler has ended well',
    isAudited: true,
    action: 'nothing',
  },
  webhook_failed: {
    when: 'a handler has failed',
    notes: {
      entry: 'its id, for `replay`',
      final: 'it is not tried again',
      reason: 'the name of the error',
    },
    isAudited: true,
    action:
      '`body_unreadable`: it was sealed with an encryption key that this process does not have, so put that back, or is spoilt; `final`: mend the handler, then handle it again on `/events` or with `npm run getbill -- webhooks replay`',
  },
  rate_limited: {
    when: 'a limit of ours was reached',
    isAudited: true,
    action: 'single ones: nothing; many from one `ip`: block it before the app',
  },
};

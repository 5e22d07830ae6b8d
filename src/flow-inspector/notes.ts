import type { AppEvent } from '../events.js';
import type { TopicName } from './topics.js';

/** A decision, as a note beside the lifeline of the app. */
export interface Note {
  readonly title: string;
  readonly outcome: 'ok' | 'failed' | 'neutral';
  readonly topic: TopicName;
  readonly details?: readonly [string, string][];
}

type EventOf<Type extends AppEvent['type']> = Extract<AppEvent, { type: Type }>;

const seconds = (ms: number): string => `${Math.max(1, Math.ceil(ms / 1000))} s`;
const duration = (ms: number): string => `${Math.round(ms)} ms`;
const neutral = (title: string, topic: TopicName): Note => ({ title, topic, outcome: 'neutral' });
const ok = (title: string, topic: TopicName): Note => ({ title, topic, outcome: 'ok' });
const failed = (title: string, topic: TopicName): Note => ({ title, topic, outcome: 'failed' });

/** `undefined` for an event that is no decision, or that another step shows already. */
export function noteOf(event: AppEvent): Note | undefined {
  switch (event.type) {
    case 'login_completed':
      return { ...ok('Signed in', 'signed_in'), details: [['scopes', event.scopes.join(' ')]] };
    case 'login_failed':
      return failed(`Sign-in ended: ${event.reason}`, 'sign_in_end');
    case 'login_repeated':
      return neutral('This sign-in is complete already: nothing is done twice', 'sign_in_end');
    case 'scope_widened':
      return neutral('GetBill granted more than was asked for', 'sign_in_end');
    case 'client_secret_fallback':
      return neutral(
        'The first client secret was rejected: the next one is tried',
        event.grantType,
      );
    case 'token_refreshed':
      return renewed(event);
    case 'refresh_joined':
      return neutral(
        `Joined a renewal of this process: waited ${duration(event.waitedMs)}`,
        'join',
      );
    case 'refresh_waited':
      return { ...WAITED[event.outcome], details: [['waited', duration(event.waitedMs)]] };
    case 'refresh_reused':
      return neutral('Nothing to renew: it has been done meanwhile', 'reuse');
    case 'refresh_failed':
      return renewalFailed(event);
    case 'token_write_delayed':
      return failed(
        'The storage did not take the new tokens: kept in memory, written later',
        'rotation',
      );
    case 'api_failed':
      return failed(GIVEN_UP[event.reason] ?? `Given up: ${event.reason}`, 'given_up');
    case 'api_replayed':
      return neutral('Sent again with the newer token', 'replay');
    case 'api_not_asked':
      return failed(
        `Not asked: GetBill’s limit is used up for ${seconds(event.retryAfterMs)} more`,
        'quota',
      );
    case 'quota_exhausted':
      return failed(
        `GetBill’s limit is used up: nobody calls for ${seconds(event.retryAfterMs)}`,
        'quota',
      );
    case 'rate_limited':
      return failed(
        event.limit === 'share'
          ? 'Not asked: this company has used its share of GetBill’s limit'
          : `Not asked: our limit “${event.limit}” is reached`,
        'limit',
      );
    case 'session_ended':
      return neutral(ENDED[event.reason], 'ended');
    case 'session_expired':
      return neutral('The session of this cookie is over', 'session');
    case 'session_broken':
      return failed('The session record is broken: removed', 'session');
    case 'token_revoked':
      return event.outcome === 'ok'
        ? ok('Revoked at GetBill', 'revocation')
        : failed('Not revoked: both tries failed', 'revocation');
    case 'request_refused':
      return failed(`Refused: ${REFUSED[event.reason] ?? event.reason}`, 'refused');
    case 'key_missing':
      return failed('A record is encrypted with a key that is unknown here', 'note');
    case 'record_replaced':
      return failed(
        `A record is not what this app wrote (${event.record}): it counts as absent`,
        'note',
      );
    // shown by the messages themselves, or no decision
    case 'api_called':
    case 'login_started':
    case 'request_answered':
    case 'session_touch_failed':
    case 'storage_failed':
    case 'tls_failed':
    case 'webhook_received':
    case 'webhook_refused':
    case 'webhook_handled':
    case 'webhook_failed':
    case 'token_requested':
      return undefined;
  }
}

function renewed({ trigger, rotated, durationMs }: EventOf<'token_refreshed'>): Note {
  return {
    ...ok('Access token renewed', 'rotation'),
    details: [
      ['role', 'this process led: it holds the lease'],
      ['reason', trigger],
      ['because', WHY_RENEWED[trigger]],
      ['new refresh token', rotated ? 'yes, the old one is spent' : 'no, the old one stays'],
      ['took', duration(durationMs)],
    ],
  };
}

export const WHY_RENEWED = {
  margin: 'It was about to expire. Requests meanwhile went on with the old one; nobody waited.',
  expired: 'It had expired; the request waited for this renewal.',
  rejected: 'The API rejected it (401); it was renewed and the call sent again.',
} as const;

function renewalFailed({ outcome, reason, retryAfterMs }: EventOf<'refresh_failed'>): Note {
  const pause = retryAfterMs === undefined ? '' : `: paused for ${seconds(retryAfterMs)}`;
  if (outcome === 'limited') return failed(`Not asked: too many renewals${pause}`, 'limit');
  if (outcome === 'refused') {
    return failed(
      reason === 'no_refresh_token'
        ? 'Not asked: there is no refresh token'
        : 'GetBill ended the grant: sign in again',
      'ended',
    );
  }
  return {
    ...failed(`Renewal failed${pause}`, 'pause'),
    details: [
      ['outcome', outcome],
      ['reason', reason],
    ],
  };
}

const WAITED: Record<EventOf<'refresh_waited'>['outcome'], Note> = {
  renewed: ok('Waited: another process led, its new token is used', 'wait'),
  ended: failed('Waited: another process found that the grant has ended', 'wait'),
  paused: failed('Waited: another process led and failed, renewals are paused', 'wait'),
  taken_over: neutral('Waited: another process ended without a new token', 'wait'),
  no_lease: failed('Waited too long: another process still holds the lease', 'wait'),
};

const ENDED: Record<EventOf<'session_ended'>['reason'], string> = {
  signed_out: 'Session ended: signed out',
  replaced: 'Session ended: replaced by a new sign-in',
  refused: 'Session ended: GetBill refused the refresh token',
  answer_lost: 'Session ended: GetBill renewed, but its response was lost',
  record_gone: 'Session ended: its tokens are gone',
  broken_record: 'Session ended: its record is broken',
  no_refresh_token: 'Session ended: there is no refresh token',
};

const REFUSED: Readonly<Record<string, string>> = {
  csrf: 'the form’s CSRF token is missing or wrong',
  foreign_origin: 'it comes from another site',
  navigation_only: 'signing in is a step that a person takes',
};

const GIVEN_UP: Readonly<Record<string, string>> = {
  getbill_timeout: 'Given up: GetBill did not respond in time',
  getbill_unreachable: 'Given up: the connection to GetBill failed',
  getbill_error: 'Not passed on: GetBill has a problem',
  answer_redirects: 'Not passed on: redirects are never followed',
  answer_not_json: 'Not passed on: it is not JSON',
  answer_too_large: 'Not passed on: it is too large',
  answer_contradicts_itself: 'Not passed on: an error in a success',
  answer_status_unexpected: 'Not passed on: a status that nothing asked for',
  too_many_open_calls: 'Not asked: this session has too many calls open',
  browser_left: 'Given up: the browser has left',
};

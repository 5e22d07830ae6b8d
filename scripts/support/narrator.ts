import { stripVTControlCharacters } from 'node:util';
import type { AppEvent } from '../../src/events.js';
import { eventCatalogue } from '../../src/telemetry/event-catalogue.js';

type EventOf<Type extends AppEvent['type']> = Extract<AppEvent, { type: Type }>;
/** A line of the app's log: an event, a request, or anything else. */
type LogLine = { time?: string; level?: number; msg?: string; requestId?: string } & (
  | AppEvent
  | Request
  | { type?: undefined }
);
interface Request {
  type?: undefined;
  method: string;
  route: string;
  path?: string;
  status: number;
  durationMs: number;
  cut?: boolean;
}

/** Told beside its request: what it was about, and the steps that it took. */
interface Told {
  subject: string;
  steps: string[];
}

export interface NarratorOptions {
  hasColour: boolean;
  /** Columns of the terminal; a longer line is cut. */
  columns: () => number;
}

const MAX_OPEN_REQUESTS = 1_000;
const SUBJECT_WIDTH = 24;
const WARNING = 40;
/** Asked for by pages, by health checks, and by the inspector about itself. */
const QUIET_ROUTES = /^\/(assets|healthz|readyz|metrics|flow|tour|demo|events\/live|favicon)\b/;

const FAILED: Readonly<Record<string, string>> = {
  getbill_timeout: 'no response in time',
  getbill_unreachable: 'the connection failed',
  getbill_error: 'GetBill has a problem',
  answer_redirects: 'a redirect, never followed',
  answer_not_json: 'not JSON',
  answer_too_large: 'too large',
  answer_contradicts_itself: 'an error in a success',
  answer_status_unexpected: 'a status that nothing asked for',
  browser_left: 'the browser has left',
};

const ENDED: Record<EventOf<'session_ended'>['reason'], string> = {
  signed_out: 'signed out',
  replaced: 'replaced by a new sign-in',
  refused: 'GetBill ended the permission',
  answer_lost: 'GetBill renewed, but its response was lost',
  record_gone: 'its tokens are gone',
  broken_record: 'its record is broken',
  no_refresh_token: 'there is no refresh token',
};

const TOKEN_CALLS: Record<EventOf<'token_requested'>['grantType'], string> = {
  authorization_code: 'code exchange',
  refresh_token: 'renewal',
  client_credentials: 'client credentials',
  revocation: 'revocation',
};

/**
 * Turns the app's log, a JSON object per line, into what a person wants to see of it: a line for
 * each request when it has been answered, and below it what its calls to GetBill met.
 */
export function createNarrator({
  hasColour,
  columns,
}: NarratorOptions): (line: string) => string[] {
  const eventsOf = new Map<string, AppEvent[]>();

  function remember(requestId: string, event: AppEvent): void {
    const events = eventsOf.get(requestId) ?? [];
    events.push(event);
    eventsOf.set(requestId, events);
    const [oldest] = eventsOf.keys(); // its request was never logged
    if (eventsOf.size > MAX_OPEN_REQUESTS && oldest !== undefined) eventsOf.delete(oldest);
  }

  function linesOf(line: LogLine): Told[] {
    if (isRequest(line)) {
      const events = eventsOf.get(line.requestId ?? '') ?? [];
      eventsOf.delete(line.requestId ?? '');
      const below = tellEvents(events).map(({ subject, steps }) => ({
        subject: `  ${subject}`,
        steps,
      }));
      return QUIET_ROUTES.test(addressOf(line)) && below.length === 0
        ? []
        : [tellRequest(line, events), ...below];
    }
    if (line.type === undefined) {
      const isWorthIt = (line.level ?? 0) >= WARNING && line.requestId === undefined;
      return isWorthIt ? [{ subject: 'the app says', steps: [line.msg ?? ''] }] : [];
    }
    if (line.requestId === undefined) return tellEvents([line]);
    remember(line.requestId, line);
    return [];
  }

  return function narrate(text) {
    const line = parsed(text);
    if (line === undefined) return [];
    const time = new Date(line.time ?? Date.now()).toTimeString().slice(0, 8);
    return linesOf(line).map((told) => format(time, told, { hasColour, columns: columns() }));
  };
}

function parsed(text: string): LogLine | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === 'object' && line !== null ? line : undefined;
  } catch {
    return undefined;
  }
}

const isRequest = (line: LogLine): line is LogLine & Request =>
  line.type === undefined && line.msg === 'request' && 'route' in line;

const addressOf = ({ route, path = '' }: Request): string => (route === 'unmatched' ? path : route);

function tellRequest(request: Request, events: AppEvent[]): Told {
  const { status, durationMs, cut } = request;
  const calls = events.filter(({ type }) => type === 'api_called' || type === 'api_failed').length;
  const toGetBill =
    calls === 0 ? [] : [calls === 1 ? '1 call to GetBill' : `${calls} calls to GetBill`];
  return {
    subject: `${request.method} ${addressOf(request)}`,
    steps: [
      [
        cut === true ? 'the browser has left' : String(status),
        `${Math.round(durationMs)} ms`,
        ...toGetBill,
      ].join(' · '),
    ],
  };
}

/** Calls that went well without more ado are only counted, in the line of their request. */
function tellEvents(events: readonly AppEvent[]): Told[] {
  const rejected = rejectedCalls(events);
  const others = events.flatMap((event) => {
    if (rejected !== undefined && PART_OF_A_REJECTED_CALL.has(event.type)) return [];
    return tellEvent(event) ?? [];
  });
  return rejected === undefined ? others : [rejected, ...others];
}

const PART_OF_A_REJECTED_CALL: ReadonlySet<AppEvent['type']> = new Set([
  'token_refreshed',
  'refresh_joined',
  'refresh_reused',
  'refresh_waited',
  'api_replayed',
]);

/**
 * "GET /debts  401 -> renewed (6 ms) -> sent again -> 200": all calls that met a 401 in one line.
 */
function rejectedCalls(events: readonly AppEvent[]): Told | undefined {
  const calls = events.filter((event) => event.type === 'api_called');
  const rejected = calls.filter(({ status }) => status === 401);
  const [first] = rejected;
  if (first === undefined) return undefined;
  const others = rejected.length - 1;
  const isReplayed = events.some(({ type }) => type === 'api_replayed');
  const last = calls.findLast(({ route }) => route === first.route);
  return {
    subject: `${first.method} ${first.route}${others > 0 ? ` +${others}` : ''}`,
    steps: [
      '401',
      ...events.flatMap((event) => renewalOf(event) ?? []).slice(0, 1),
      isReplayed ? 'sent again' : 'not renewed',
      ...(isReplayed && last !== undefined ? [String(last.status)] : []),
    ],
  };
}

function renewalOf(event: AppEvent): string | undefined {
  if (event.type === 'token_refreshed') return `renewed (${Math.round(event.durationMs)} ms)`;
  if (event.type === 'refresh_joined')
    return `waited for a renewal (${Math.round(event.waitedMs)} ms)`;
  if (event.type === 'refresh_waited')
    return `waited for another process (${Math.round(event.waitedMs)} ms)`;
  return event.type === 'refresh_reused' ? 'renewed meanwhile' : undefined;
}

function tellEvent(event: AppEvent): Told | undefined {
  const told = (subject: string, ...steps: (string | undefined)[]): Told => ({
    subject,
    steps: steps.filter((step) => step !== undefined),
  });
  const seconds = (ms: number): string => `${Math.ceil(ms / 1000)} s`;
  switch (event.type) {
    case 'request_answered':
    case 'login_repeated':
      return undefined;
    case 'api_called': {
      const { method, route, status } = event;
      return status < 400 || status === 401
        ? undefined
        : told(`${method} ${route}`, String(status));
    }
    case 'api_failed': {
      const { method, route, status, contentType, reason } = event;
      const isJson = contentType === 'application/json';
      const head = status === undefined ? [] : [status, isJson ? '' : contentType];
      const what = FAILED[reason] ?? inWords(reason);
      return told(`${method} ${route}`, head.join(' ').trim() || undefined, what);
    }
    case 'api_replayed':
      return told(event.route, 'sent again');
    case 'login_started':
      return told('sign-in', 'the browser is sent to GetBill');
    case 'login_completed':
      return told('signed in', event.scopes.join(' '));
    case 'login_failed':
      return told('sign-in failed', inWords(event.reason));
    case 'token_requested': {
      const { grantType, outcome, status, serverSaid, durationMs } = event;
      if (outcome === 'ok' && grantType === 'refresh_token') return undefined; // "renewed"
      const took = `${status ?? 'no response'} (${Math.round(durationMs)} ms)`;
      return told(TOKEN_CALLS[grantType], took, outcome === 'ok' ? undefined : serverSaid);
    }
    case 'token_refreshed':
    case 'refresh_joined':
    case 'refresh_waited':
    case 'refresh_reused':
      return told('access token', renewalOf(event));
    case 'refresh_failed': {
      const { outcome, reason, retryAfterMs } = event;
      const pause = retryAfterMs === undefined ? undefined : `next try in ${seconds(retryAfterMs)}`;
      return told('renewal failed', outcome === 'refused' ? 'refused' : inWords(reason), pause);
    }
    case 'session_ended':
      return told('session ended', ENDED[event.reason]);
    case 'api_not_asked':
    case 'quota_exhausted': {
      const what = event.type === 'api_not_asked' ? 'GetBill not asked' : "GetBill's limit";
      return told(what, `used up for ${seconds(event.retryAfterMs)} more`);
    }
    case 'request_refused':
      return told('refused', inWords(event.reason));
    case 'rate_limited':
      return told('our own limit', `"${event.limit}" is reached`);
    case 'webhook_received':
      return told(`webhook ${event.eventType}`, event.outcome);
    case 'webhook_refused':
      return told('webhook refused', inWords(event.reason));
    case 'webhook_handled':
      return told(`webhook ${event.eventType}`, `handled (${Math.round(event.durationMs)} ms)`);
    case 'webhook_failed':
      return told(`webhook ${event.eventType}`, `not handled: ${event.reason}`);
    case 'client_secret_fallback':
    case 'key_missing':
    case 'record_replaced':
    case 'scope_widened':
    case 'session_broken':
    case 'session_expired':
    case 'session_touch_failed':
    case 'storage_failed':
    case 'tls_failed':
    case 'token_revoked':
    case 'token_write_delayed':
      return told(inWords(event.type), eventCatalogue[event.type].when);
  }
}

const inWords = (code: string): string => code.replaceAll('_', ' ');

const DIM = 2;
const RED = 31;
const GREEN = 32;
const YELLOW = 33;

function format(
  time: string,
  { subject, steps }: Told,
  { hasColour, columns }: { hasColour: boolean; columns: number },
): string {
  const parts: [text: string, colour: number | undefined][] = [
    [time, DIM],
    [`  ${clean(subject).padEnd(SUBJECT_WIDTH)}  `, undefined],
    ...steps.flatMap((step, index): [string, number | undefined][] => [
      [index === 0 ? '' : ' -> ', DIM],
      [clean(step), colourOf(step)],
    ]),
  ];
  const isCut = parts.reduce((length, [text]) => length + text.length, 0) > columns;
  let left = isCut ? columns - 1 : columns;
  const line = parts
    .map(([text, colour]) => {
      const shown = text.slice(0, left);
      left -= shown.length;
      return hasColour && colour !== undefined && shown !== ''
        ? `\u001b[${colour}m${shown}\u001b[0m`
        : shown;
    })
    .join('')
    .trimEnd();
  return isCut ? `${line}…` : line;
}

/** A path may hold anything: it must not command the terminal. */
const clean = (text: string): string =>
  stripVTControlCharacters(text).replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '?');

function colourOf(step: string): number | undefined {
  if (/^(2\d\d|3\d\d)\b/.test(step) || /^(renewed|company:|new|handled)/.test(step)) return GREEN;
  if (/^4\d\d\b/.test(step)) return YELLOW;
  if (/^5\d\d\b|failed|problem|no response|not JSON|ended|refused|too large/.test(step)) return RED;
  return undefined;
}

/**
 * Everything worth knowing, as one vocabulary. Emitters say what happened and know no reader; readers are the audit log,
 * the metrics and the flow inspector. No event holds a token, code, state, verifier or secret: `grant` and `login` are
 * keyed hashes of at most 8 characters.
 */
export type AppEvent =
  | { type: 'request_answered'; method: string; route: string; status: number; durationMs: number }
  | { type: 'login_started'; login: string }
  | { type: 'login_completed'; login: string; grant: string; scopes: readonly string[]; replaced: boolean }
  | { type: 'login_failed'; reason: string; detail?: string }
  | { type: 'login_repeated' }
  | { type: 'scope_widened'; grant: string; scopes: readonly string[] }
  | {
      type: 'token_requested';
      grantType: GrantType;
      outcome: TokenOutcome;
      status: number | undefined;
      durationMs: number;
      /** Names only. */
      parameters: readonly string[];
      shape: Shape | undefined;
    }
  | { type: 'client_secret_fallback'; grantType: GrantType }
  | {
      type: 'token_refreshed';
      grant: string;
      trigger: RenewalTrigger;
      rotated: boolean;
      lateMs: number;
      durationMs: number;
    }
  | { type: 'refresh_joined'; grant: string; waitedMs: number }
  | { type: 'refresh_waited'; grant: string; waitedMs: number; outcome: 'renewed' | 'ended' | 'paused' | 'no_lease' }
  | { type: 'refresh_reused'; grant: string }
  | { type: 'refresh_failed'; grant: string; outcome: RefreshFailure; reason: string; retryAfterMs?: number }
  | { type: 'token_write_delayed'; grant: string }
  | { type: 'token_revoked'; grant: string; outcome: 'ok' | 'failed' }
  | { type: 'session_ended'; grant: string; reason: SessionEndReason }
  | { type: 'session_expired' }
  | { type: 'session_broken'; reason: string }
  | { type: 'session_touch_failed' }
  | { type: 'key_missing'; grant: string }
  | { type: 'storage_failed'; operation: string }
  /** A record that this app did not write, or spoilt: it counts as absent. */
  | { type: 'record_replaced'; record: 'limit' | 'quota' | 'facts' }
  | {
      type: 'api_called';
      limitClass: string;
      method: string;
      route: string;
      status: number;
      durationMs: number;
      quotaLeft?: number;
      /** Made when asked for: nobody else pays for it. */
      shapeOf: () => Shape | undefined;
    }
  | { type: 'api_replayed'; route: string }
  | { type: 'api_failed'; route: string; reason: string }
  | { type: 'tls_failed'; host: string; reason: string }
  | { type: 'quota_exhausted'; limitClass: string; retryAfterMs: number }
  | { type: 'request_refused'; reason: string; route: string }
  | { type: 'rate_limited'; limit: string };

/** A JSON body as its keys and types, never its values. */
export type Shape = Readonly<Record<string, string>>;

/** One level deep, and one more below `data`. */
export function shapeOf(json: unknown, prefix = ''): Shape | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
  const shape: Record<string, string> = {};
  for (const [key, value] of Object.entries(json)) {
    shape[prefix + key] = Array.isArray(value) ? `list of ${value.length}` : value === null ? 'null' : typeof value;
    if (key === 'data') Object.assign(shape, shapeOf(value, 'data.'));
  }
  return shape;
}

export type GrantType = 'authorization_code' | 'refresh_token' | 'client_credentials' | 'revocation';
export type TokenOutcome = 'ok' | 'refused' | 'misconfigured' | 'transient';
export type RenewalTrigger = 'margin' | 'expired' | 'rejected';
export type RefreshFailure = 'refused' | 'misconfigured' | 'transient';
export type SessionEndReason =
  'signed_out' | 'replaced' | 'refused' | 'answer_lost' | 'record_gone' | 'broken_record' | 'no_refresh_token';

/** The message of the log's line per request; the log writes these in batches. */
export const REQUEST_LINE = 'request';

/** What the web layer knows about the request in whose course an event is raised. */
export interface RequestContext {
  readonly requestId: string;
  readonly ip: string | undefined;
  /** The browser's flow cookie, hashed, while the flow inspector is on. */
  flow?: string;
  /** What the calls to the GetBill API took so far. */
  upstreamMs: number;
}

export type Emit = (event: AppEvent) => void;

/** `subscribe` adds a reader; a reader that throws is reported to `onReaderError` and disturbs nobody. */
export function createEvents({ onReaderError }: { onReaderError: (error: unknown) => void }) {
  const readers: Emit[] = [];
  return {
    subscribe: (reader: Emit): void => void readers.push(reader),
    emit: ((event) => {
      for (const reader of readers) {
        try {
          reader(event);
        } catch (error) {
          onReaderError(error);
        }
      }
    }) satisfies Emit,
  };
}

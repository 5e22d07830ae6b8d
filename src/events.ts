import type { CoreEvent } from './core/events.js';

export * from './core/events.js';

/**
 * Everything worth knowing, as one vocabulary. Emitters say what happened and know no reader;
 * readers are the audit log, the metrics and the flow inspector. No event holds a token, code,
 * state, verifier or secret: `grant` and `login` are keyed hashes of at most 8 characters.
 */
export type AppEvent =
  | CoreEvent
  | { type: 'request_answered'; method: string; route: string; status: number; durationMs: number }
  | {
      type: 'login_completed';
      login: string;
      grant: string;
      scopes: readonly string[];
      replaced: boolean;
    }
  | { type: 'login_repeated' }
  | { type: 'scope_widened'; grant: string; scopes: readonly string[] }
  | { type: 'session_expired' }
  | { type: 'session_broken'; reason: string }
  | { type: 'session_touch_failed' }
  /** A record that this app did not write, or spoilt: it counts as absent. */
  | { type: 'record_replaced'; record: 'limit' | 'quota' | 'facts' | 'recent_sign_in' | 'webhook' }
  | {
      type: 'api_called';
      limitClass: string;
      /** The scope that the call needs. */
      scope: string;
      method: string;
      route: string;
      status: number;
      durationMs: number;
      quotaLeft?: number;
    }
  | { type: 'api_replayed'; route: string }
  | ({ type: 'api_failed'; route: string; reason: string } & CallSoFar)
  /** The API was not called: GetBill's limit is used up, or what is left is for people. */
  | { type: 'api_not_asked'; limitClass: string; retryAfterMs: number }
  | { type: 'tls_failed'; host: string; reason: string }
  | { type: 'quota_exhausted'; limitClass: string; retryAfterMs: number }
  | { type: 'request_refused'; reason: string; route: string }
  | { type: 'rate_limited'; limit: string }
  | { type: 'webhook_received'; endpoint: string; eventType: string; outcome: 'new' | 'duplicate' }
  | { type: 'webhook_refused'; endpoint: string; reason: string }
  | {
      type: 'webhook_handled';
      endpoint: string;
      entry: string;
      eventType: string;
      tries: number;
      durationMs: number;
    }
  | {
      type: 'webhook_failed';
      endpoint: string;
      entry: string;
      eventType: string;
      tries: number;
      final: boolean;
      reason: string;
    };

/** A failed call: `status` and `contentType` are known once the head of the response came. */
export interface CallSoFar {
  readonly method: string;
  readonly status: number | undefined;
  readonly contentType: string | undefined;
  readonly durationMs: number;
}

/** The message of the log's line per request; the log writes these in batches. */
export const REQUEST_LINE = 'request';

/** The request during which an event is raised. */
export interface RequestContext {
  readonly requestId: string;
  readonly ip: string | undefined;
  /** The time that calls to the GetBill API took so far. */
  upstreamMs: number;
  /** The last call to GetBill that failed meanwhile: for the developer's box of an error page. */
  failedCall?: CallSoFar & { readonly route: string; readonly reason: string };
}

export type Emit = (event: AppEvent) => void;

/** `subscribe` adds a reader. One that throws is reported to `onReaderError`; the others go on. */
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

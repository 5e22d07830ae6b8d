import { createHmac } from 'node:crypto';
import { tracingChannel } from 'node:diagnostics_channel';

/**
 * What the core reports. No event holds a token, code, state, verifier or secret: `grant` and
 * `login` are keyed hashes of 8 characters.
 */
export type CoreEvent =
  | { type: 'login_started'; login: string }
  | { type: 'login_failed'; reason: string; detail?: string }
  | {
      type: 'token_requested';
      grantType: GrantType;
      outcome: TokenOutcome;
      status: number | undefined;
      durationMs: number;
      /** Names only. */
      parameters: readonly string[];
      shape: Shape | undefined;
      /** The server's own "error" and "error_description", bounded and cleaned. */
      serverSaid?: string;
    }
  | { type: 'client_secret_fallback'; grantType: GrantType }
  | { type: 'storage_failed'; operation: string; reason?: string }
  | GrantEvent;

/** What happened to one grant. */
export type GrantEvent = { readonly grant: string } & (
  | {
      type: 'token_refreshed';
      trigger: RenewalTrigger;
      rotated: boolean;
      lateMs: number;
      durationMs: number;
    }
  | { type: 'refresh_joined'; waitedMs: number }
  | { type: 'refresh_waited'; waitedMs: number; outcome: WaitOutcome }
  | { type: 'refresh_reused' }
  | { type: 'refresh_failed'; outcome: RefreshFailure; reason: string; retryAfterMs?: number }
  | { type: 'token_write_delayed' }
  | { type: 'token_revoked'; outcome: 'ok' | 'failed' }
  | { type: 'session_ended'; reason: SessionEndReason }
  | { type: 'key_missing' }
  /** A value in the storage that is not what we wrote: it counts as absent. */
  | { type: 'record_replaced'; record: RecordKind }
);

export type RecordKind = 'pause' | 'attempt' | 'rate' | 'lease' | 'pending_login';

/** A JSON body as its keys and types, never its values. */
export type Shape = Readonly<Record<string, string>>;

type TokenGrantType = 'authorization_code' | 'refresh_token' | 'client_credentials';
export type GrantType = TokenGrantType | 'revocation';
export type TokenOutcome = 'ok' | 'refused' | 'misconfigured' | 'transient';
export type RenewalTrigger = 'margin' | 'expired' | 'rejected';
/** `taken_over`: the other process gave its lease back without a result, or died. */
export type WaitOutcome = 'renewed' | 'ended' | 'paused' | 'taken_over' | 'no_lease';
/** `limited`: refused by our own limits, nobody was asked. */
export type RefreshFailure = 'refused' | 'misconfigured' | 'transient' | 'limited';
export type SessionEndReason =
  | 'signed_out'
  | 'replaced'
  | 'refused'
  | 'answer_lost'
  | 'record_gone'
  | 'broken_record'
  | 'no_refresh_token';

const MAX_KEYS = 50;
const MAX_KEY_LENGTH = 64;

/** One level deep, and one more below `data`. */
export function shapeOf(json: unknown, prefix = ''): Shape | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
  const shape: Record<string, string> = {};
  for (const [key, value] of Object.entries(json).slice(0, MAX_KEYS)) {
    const type = Array.isArray(value) ? `list of ${value.length}` : typeof value;
    shape[prefix + key.slice(0, MAX_KEY_LENGTH)] = value === null ? 'null' : type;
    if (key === 'data' && prefix === '') Object.assign(shape, shapeOf(value, 'data.'));
  }
  return shape;
}

/** Names a grant or a sign-in in events: a keyed hash, equal for equal ids. */
export type Fingerprint = (id: string) => string;

/** The first of the encryption keys is the key here, too: equal ids look equal in every process. */
export function createFingerprint([key]: readonly Buffer[]): Fingerprint {
  if (key === undefined) throw new TypeError('"encryptionKeys" is empty');
  const derived = createHmac('sha256', key).update('fingerprints of events').digest();
  return (id) => createHmac('sha256', derived).update(id).digest('base64url').slice(0, 8);
}

/** Where events go. */
export type Emit = (event: CoreEvent) => void;

/** Reports what happened to a grant; the event names the grant by its fingerprint. */
export type Report = <Type extends GrantEvent['type']>(
  type: Type,
  grantId: string,
  fields: Omit<Extract<GrantEvent, { type: Type }>, 'type' | 'grant'>,
) => void;

export function createReport(emit: Emit, fingerprint: Fingerprint): Report {
  return (type, grantId, fields) =>
    emit({ type, grant: fingerprint(grantId), ...fields } as unknown as GrantEvent);
}

/** @internal For readers in this process that need more than events, as an APM agent. */
export const renewalChannel = tracingChannel('getbill-connect:renewal');

export interface RenewalRun {
  readonly grantId: string;
  readonly trigger: RenewalTrigger;
}

/** @internal Runs `work` with its start, end, result and error published on the channel. */
export function traced<Result>(
  channel: ReturnType<typeof tracingChannel>,
  message: object,
  work: () => Promise<Result>,
): Promise<Result> {
  return channel.hasSubscribers ? channel.tracePromise(work, message) : work();
}

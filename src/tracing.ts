import { tracingChannel, type TracingChannel } from 'node:diagnostics_channel';
import { renewalChannel, type RenewalRun } from './core/events.js';

export { traced, type RenewalRun } from './core/events.js';

/**
 * Tracing channels, for readers in this process that need more than events say: an APM agent, the
 * flow inspector. The messages hold secrets, so a reader masks what it keeps. Without a reader
 * there is no work.
 */
export const channels = {
  /** A call to the authorization server or the API. */
  http: tracingChannel<unknown, HttpExchange>('getbill-connect:http'),
  storage: tracingChannel<unknown, StorageCommand>('getbill-connect:storage'),
  renewal: renewalChannel as TracingChannel<unknown, RenewalRun>,
};

export interface HttpExchange {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | undefined;
  /** There was a connection for it: some of its bytes may have reached the other side. */
  mayHaveLeft?: boolean;
  /** From when the head of the response has come. */
  head?: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  };
  /** Sent once more over a new connection, and why. */
  resent?: 'connection_lost' | 'silence';
}

export interface StorageCommand {
  readonly command: string;
  readonly key: string;
  readonly ttlMs?: number | undefined;
}

import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { SentOver } from './agent.js';
import type { ResponseBody } from './response-body.js';

export type Connection = Dispatcher.DispatchController;

export interface ResponseHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

interface AttemptHandlers {
  /** There is a connection: from now on bytes of the request may have left. */
  readonly onStart: () => void;
  readonly onHead: (attempt: Attempt, connection: Connection, head: ResponseHead) => ResponseBody;
  readonly onEnd: () => void;
  readonly onError: (attempt: Attempt, error: Error) => void;
}

/**
 * The request, sent once. Given to undici as handler, and as `opaque`, to learn what it was sent
 * over.
 */
export class Attempt implements Dispatcher.DispatchHandler, SentOver {
  keptConnection = false;
  readonly #handlers: AttemptHandlers;
  #connection: Connection | undefined;
  #isCancelled = false;
  #body: ResponseBody | undefined;

  constructor(handlers: AttemptHandlers) {
    this.#handlers = handlers;
  }

  /** Also while the request waits for a connection: undici can abort it only when it has one. */
  cancel(): void {
    this.#isCancelled = true;
    this.#connection?.abort(new DOMException('cancelled', 'AbortError'));
  }

  onRequestStart(connection: Connection): void {
    this.#connection = connection;
    this.#handlers.onStart();
    if (this.#isCancelled) this.cancel();
  }

  onResponseStart(connection: Connection, status: number, headers: IncomingHttpHeaders): void {
    if (status >= 200) this.#body = this.#handlers.onHead(this, connection, { status, headers });
  }

  onResponseData(_connection: Connection, chunk: Buffer): void {
    this.#body?.add(chunk);
  }

  onResponseEnd(): void {
    this.#handlers.onEnd();
  }

  onResponseError(_connection: Connection, error: Error): void {
    this.#handlers.onError(this, error);
  }
}

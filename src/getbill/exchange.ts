import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { UnavailableError } from '../errors.js';
import { browserLeft, unavailableBecause } from './unavailable.js';

const WHOLE_LIMIT = 64 * 1024;
const STREAM_LIMIT = 16 * 1024 * 1024;

export interface AnswerHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

export interface UpstreamAnswer extends AnswerHead {
  /** Up to 64 KiB whole; longer as a stream, which fails with an UnavailableError, past 16 MiB as well. */
  readonly body: Buffer | Readable;
}

/**
 * One request and its answer, under one deadline. undici's own `request` reads every body through a stream; nearly all of
 * GetBill's are one chunk, which is handed on as it came.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly answer: Promise<UpstreamAnswer>;
  readonly #accept: ((head: AnswerHead) => void) | undefined;
  readonly #timer: NodeJS.Timeout;
  #resolve!: (answer: UpstreamAnswer) => void;
  #reject!: (error: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #ended: Error | undefined;
  #isOver = false;
  #head: AnswerHead = { status: 0, headers: {} };
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #stream: Readable | undefined;

  constructor({ timeoutMs, accept }: { timeoutMs: number; accept?: ((head: AnswerHead) => void) | undefined }) {
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#accept = accept;
    this.#timer = setTimeout(() => {
      this.#end(new DOMException('past the deadline', 'TimeoutError'));
    }, timeoutMs);
  }

  /** The browser has gone: closes the connection, unless all has been received. */
  leave(): void {
    if (!this.#isOver) this.#end(browserLeft(undefined));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#ended !== undefined) controller.abort(this.#ended); // while it waited for a connection
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.#head = { status, headers };
    try {
      if (Number(headers['content-length'] ?? 0) > STREAM_LIMIT) throw tooLarge();
      this.#accept?.(this.#head);
    } catch (error) {
      this.#end(error as Error);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#length += chunk.length;
    if (this.#stream === undefined) {
      this.#chunks.push(chunk);
      if (this.#length > WHOLE_LIMIT) this.#startStream(controller);
    } else if (this.#length > STREAM_LIMIT) {
      this.#end(tooLarge());
    } else if (!this.#stream.push(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#close();
    if (this.#stream !== undefined) this.#stream.push(null);
    else {
      const [first, ...others] = this.#chunks;
      const body = first !== undefined && others.length === 0 ? first : Buffer.concat(this.#chunks);
      this.#resolve({ ...this.#head, body });
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  #end(reason: Error): void {
    this.#ended = reason;
    this.#controller?.abort(reason);
    this.#fail(reason);
  }

  #startStream(controller: Dispatcher.DispatchController): void {
    const stream = new Readable({
      read: () => {
        controller.resume();
      },
      destroy: (error, done) => {
        this.leave();
        done(error);
      },
    });
    stream.on('error', () => undefined); // it may fail before anybody reads
    this.#stream = stream;
    for (const chunk of this.#chunks.splice(0)) stream.push(chunk);
    controller.pause();
    this.#resolve({ ...this.#head, body: stream });
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#close();
    this.#reject(error);
    this.#stream?.destroy(unavailableBecause(error));
  }

  #close(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }
}

export const tooLarge = (): UnavailableError =>
  new UnavailableError('the answer is too large', { code: 'answer_too_large', status: 502 });

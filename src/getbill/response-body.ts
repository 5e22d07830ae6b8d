import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { UnavailableError } from '../errors.js';
import { browserLeft, unavailableBecause } from './unavailable.js';

const WHOLE_LIMIT = 64 * 1024;
const STREAM_LIMIT = 16 * 1024 * 1024;
/** A whole body may be waited for ten times as long as one chunk: a trickle ends. */
const MAX_WAITS = 10;
/** A reader that takes nothing for so long is given up; the server gives a browser as long. */
const READER_STALL_MS = 120_000;

/**
 * A body as it arrives: handed on whole up to 64 KiB, or from there as a stream, which fails with
 * an UnavailableError, past 16 MiB as well. The time in which the reader is slow does not count as
 * waiting.
 */
export class ResponseBody {
  readonly #connection: Dispatcher.DispatchController;
  readonly #idleMs: number;
  readonly #onBody: (body: Buffer | Readable) => void;
  readonly #endCall: (error: Error) => void;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #stream: Readable | undefined;
  #timer: NodeJS.Timeout;
  #waitedMs = 0;
  #waitingSinceMs = performance.now();

  constructor({ connection, idleMs, onBody, endCall }: BodyOptions) {
    this.#connection = connection;
    this.#idleMs = idleMs;
    this.#onBody = onBody;
    this.#endCall = endCall;
    this.#timer = this.#limitSilence();
  }

  add(chunk: Buffer): void {
    const nowMs = performance.now();
    this.#waitedMs += nowMs - this.#waitingSinceMs;
    this.#waitingSinceMs = nowMs;
    this.#timer.refresh();
    this.#length += chunk.length;
    if (this.#length > STREAM_LIMIT) return this.#endCall(tooLarge());
    if (this.#waitedMs > this.#idleMs * MAX_WAITS) return this.#endCall(pastDeadline());
    if (this.#stream !== undefined) {
      if (!this.#stream.push(chunk)) this.#pause();
      return;
    }
    this.#chunks.push(chunk);
    if (this.#length > WHOLE_LIMIT) this.#startStream();
  }

  end(): void {
    clearTimeout(this.#timer);
    const [first, ...others] = this.#chunks;
    if (this.#stream !== undefined) this.#stream.push(null);
    else this.#onBody(first && others.length === 0 ? first : Buffer.concat(this.#chunks));
  }

  fail(error: Error): void {
    clearTimeout(this.#timer);
    this.#stream?.destroy(unavailableBecause(error));
  }

  #startStream(): void {
    this.#stream = new Readable({
      read: () => this.#resume(),
      destroy: (error, done) => {
        this.#endCall(browserLeft()); // without effect on a call that has ended
        done(error);
      },
    });
    this.#stream.on('error', () => undefined); // it may fail before anybody reads
    for (const chunk of this.#chunks.splice(0)) this.#stream.push(chunk);
    this.#pause();
    this.#onBody(this.#stream);
  }

  #pause(): void {
    this.#connection.pause();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#endCall(readerStalled()), READER_STALL_MS);
  }

  #resume(): void {
    if (!this.#connection.paused) return;
    clearTimeout(this.#timer);
    this.#timer = this.#limitSilence();
    this.#waitingSinceMs = performance.now();
    this.#connection.resume();
  }

  #limitSilence(): NodeJS.Timeout {
    return setTimeout(() => this.#endCall(pastDeadline()), this.#idleMs);
  }
}

interface BodyOptions {
  /** May be paused while nobody reads. */
  readonly connection: Dispatcher.DispatchController;
  /** Longest silence between two chunks. */
  readonly idleMs: number;
  readonly onBody: (body: Buffer | Readable) => void;
  /** Ends the call, and with it this body. */
  readonly endCall: (error: Error) => void;
}

/** @throws {UnavailableError} 502: the length that a response announces is past 16 MiB. */
export function checkAnnouncedLength(length: number): void {
  if (length > STREAM_LIMIT) throw tooLarge();
}

export const tooLarge = (): UnavailableError =>
  new UnavailableError('the response is too large', { code: 'answer_too_large', status: 502 });

export const pastDeadline = (): DOMException =>
  new DOMException('past the deadline', 'TimeoutError');

const readerStalled = (): UnavailableError => browserLeft(new Error('the browser stopped reading'));

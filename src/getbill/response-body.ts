import { Readable } from 'node:stream';
import { UnavailableError } from '../errors.js';
import { browserLeft, unavailableBecause } from './unavailable.js';

const WHOLE_LIMIT = 64 * 1024;
const STREAM_LIMIT = 16 * 1024 * 1024;
/** A reader that takes nothing for so long is given up. */
const READER_STALL_MS = 30_000;

/** What may hold a response open. */
export interface BodyLimits {
  /** Longest silence between two chunks. */
  readonly idleMs: number;
  /** Longest wait for chunks in all; the time in which the reader is slow does not count. */
  readonly flowMs: number;
}

/**
 * Up to 64 KiB whole; longer as a stream, which fails with an UnavailableError, past 16 MiB as well.
 * `call` ends the call: it is aborted past a limit and when the stream is destroyed.
 */
export async function readBody(
  body: Readable,
  { call, ...limits }: BodyLimits & { call: AbortController },
): Promise<Buffer | Readable> {
  const chunks = withinLimits(body, { call, ...limits });
  const first: Buffer[] = [];
  let length = 0;
  while (length <= WHOLE_LIMIT) {
    const { done, value } = await chunks.next();
    if (done === true) return first.length === 1 && first[0] ? first[0] : Buffer.concat(first);
    first.push(value);
    length += value.length;
  }
  return streamOf(first, chunks, call);
}

/** @throws {UnavailableError} 502: the length that a response announces is past 16 MiB. */
export function checkAnnouncedLength(length: number): void {
  if (length > STREAM_LIMIT) throw tooLarge();
}

export const tooLarge = (): UnavailableError =>
  new UnavailableError('the response is too large', { code: 'answer_too_large', status: 502 });

async function* withinLimits(
  body: Readable,
  { call, idleMs, flowMs }: BodyLimits & { call: AbortController },
): AsyncGenerator<Buffer, void> {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let [length, waitedMs] = [0, 0];
  for (;;) {
    const startedMs = performance.now();
    const allowedMs = Math.max(0, Math.min(idleMs, flowMs - waitedMs));
    const next = await within(allowedMs, () => call.abort(pastDeadline()), chunks.next());
    if (next.done === true) return;
    waitedMs += performance.now() - startedMs;
    length += next.value.length;
    if (length > STREAM_LIMIT) {
      const error = tooLarge();
      call.abort(error);
      throw error;
    }
    const stalled = setTimeout(() => call.abort(readerStalled()), READER_STALL_MS);
    try {
      yield next.value;
    } finally {
      clearTimeout(stalled);
    }
  }
}

async function within<T>(ms: number, onLate: () => void, work: Promise<T>): Promise<T> {
  const timer = setTimeout(onLate, ms);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

function streamOf(
  first: Buffer[],
  rest: AsyncGenerator<Buffer, void>,
  call: AbortController,
): Readable {
  const fail = (): void => void stream.destroy(unavailableBecause(call.signal.reason));
  const stream = new Readable({
    read: () => void pull(),
    destroy(error, done) {
      call.signal.removeEventListener('abort', fail);
      call.abort(browserLeft(undefined)); // without effect on a call that has ended
      rest.return().catch(() => undefined);
      done(error);
    },
  });
  async function pull(): Promise<void> {
    try {
      const { done, value } = await rest.next();
      stream.push(done === true ? null : value);
    } catch (error) {
      stream.destroy(unavailableBecause(error));
    }
  }
  call.signal.addEventListener('abort', fail);
  stream.on('error', () => undefined); // it may fail before anybody reads
  for (const chunk of first) stream.push(chunk);
  return stream;
}

export const pastDeadline = (): DOMException =>
  new DOMException('past the deadline', 'TimeoutError');

const readerStalled = (): UnavailableError => browserLeft(new Error('the browser stopped reading'));

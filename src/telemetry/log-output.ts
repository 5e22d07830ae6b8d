import { writeSync } from 'node:fs';
import { symbols, type DestinationStream } from 'pino';
import { REQUEST_LINE, type AppEvent } from '../events.js';

/** Bytes that wait in memory before lines about requests are dropped, and before any line is. */
const MAX_WAITING_BEFORE_REQUESTS = 1024 * 1024;
const MAX_WAITING = 4 * 1024 * 1024;

/** Lines that come by the thousand: those of one turn of the event loop are written together. */
const FREQUENT: ReadonlySet<string> = new Set<AppEvent['type'] | typeof REQUEST_LINE>([
  REQUEST_LINE,
  'webhook_received',
  'webhook_handled',
]);

const RETRY_AFTER_MS = 100;
const CONTINUE_AFTER_MS = 1; // a reader takes what a pipe holds, 64 KB, at a time
const FLUSH_WITHIN_MS = 250;

export interface LogOutput extends DestinationStream {
  /** Calls back when everything is written, or after `FLUSH_WITHIN_MS`. */
  flush(done?: () => void): void;
}

/**
 * Writes each line at once, so that a `kill -9` loses none, except the lines about requests and
 * webhooks: those of one turn of the event loop go together, which saves a twentieth of a proxied
 * call. Never waits: what the file or pipe does not take (its disk is full, nobody reads it) stays
 * in memory and is tried again, in order. Beyond a limit lines are dropped and counted, lines about
 * requests first; how many is logged as soon as writing is possible again.
 *
 * pino's own destination cannot do this: when it is synchronous it sleeps until the pipe takes
 * more, and when it is asynchronous a full pipe holds a thread that keeps the process from exiting.
 */
export function createLogOutput({
  fd,
  onDropped,
}: {
  /** A pipe must be non-blocking; `process.stdout` makes its own so. */
  fd: number;
  onDropped: () => void;
}): LogOutput {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let dropped = 0;
  let retry: NodeJS.Timeout | undefined;
  let endOfTurn: NodeJS.Immediate | undefined;

  function add(line: string): void {
    const bytes = Buffer.from(line);
    waiting.push(bytes);
    waitingBytes += bytes.length;
  }

  /** Returns whether everything was taken. */
  function writeWaiting(): boolean {
    while (waitingBytes > 0) {
      const [first = Buffer.alloc(0)] = waiting;
      const bytes = waiting.length > 1 ? Buffer.concat(waiting) : first;
      const written = tryWrite(fd, bytes);
      waitingBytes -= written;
      waiting = waitingBytes > 0 ? [bytes.subarray(written)] : [];
      if (written === 0) return false;
      if (waitingBytes === 0 && dropped > 0) reportDropped();
    }
    return true;
  }

  function writeUnlessRetrying(): void {
    endOfTurn = undefined;
    if (retry === undefined && !writeWaiting()) retryAfter(RETRY_AFTER_MS);
  }

  function reportDropped(): void {
    const line = { level: 40, time: new Date().toISOString(), dropped, msg: 'log lines dropped' };
    dropped = 0;
    add(`${JSON.stringify(line)}\n`);
  }

  function retryAfter(ms: number): void {
    retry = setTimeout(() => {
      retry = undefined;
      const bytesBefore = waitingBytes;
      if (!writeWaiting())
        retryAfter(waitingBytes < bytesBefore ? CONTINUE_AFTER_MS : RETRY_AFTER_MS);
    }, ms).unref();
  }

  const output = {
    [symbols.needsMetadataGsym]: true, // pino sets lastMsg before each write
    lastMsg: '',
    write(line: string): void {
      const isRequest = output.lastMsg === REQUEST_LINE;
      const limit = isRequest ? MAX_WAITING_BEFORE_REQUESTS : MAX_WAITING;
      if (waitingBytes > limit) {
        dropped += 1;
        onDropped();
        return;
      }
      add(line);
      if (FREQUENT.has(output.lastMsg)) endOfTurn ??= setImmediate(writeUnlessRetrying);
      else writeUnlessRetrying();
    },
    flush(done: () => void = () => undefined): void {
      const endsAtMs = performance.now() + FLUSH_WITHIN_MS;
      const tryAgain = (): void => {
        if (writeWaiting() || performance.now() > endsAtMs) done();
        else setTimeout(tryAgain, 10);
      };
      tryAgain();
    },
  };
  return output;
}

/** Returns 0 on any error: EAGAIN (a full pipe), ENOSPC (a full disk), EPIPE (nobody reads). */
function tryWrite(fd: number, bytes: Buffer): number {
  try {
    return writeSync(fd, bytes);
  } catch {
    return 0;
  }
}

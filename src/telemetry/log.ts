import { destination, pino, symbols, type DestinationStream, type Logger } from 'pino';
import { REQUEST_LINE } from '../events.js';

const LONGEST_TEXT = 2_048;

/** JSON lines on standard output; for a person at a terminal in development, pretty. */
export function createLog({
  level,
  pretty,
  to,
}: {
  level: string;
  pretty: boolean;
  to?: NodeJS.WritableStream | undefined;
}): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: ['req.headers', 'res.headers', '*.accessToken', '*.refreshToken', '*.codeVerifier'],
    serializers: { err: describeError, path: cut, route: cut, hint: cut },
  };
  if (to !== undefined) return pino(options, to as DestinationStream);
  if (pretty) return pino({ ...options, transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname' } } });
  return pino(options, batching(destination(1)));
}

const BATCH_LENGTH = 65_536;
const LONGEST_WAIT_MS = 100;

/**
 * Lines about requests are written several at a time, at most 100 ms late (a kill -9 loses those); every other line is
 * written at once, after those before it.
 */
function batching(out: DestinationStream): DestinationStream {
  let waiting = '';
  const flush = (): void => {
    if (waiting === '') return;
    const batch = waiting;
    waiting = '';
    out.write(batch);
  };
  setInterval(flush, LONGEST_WAIT_MS).unref();
  const batched = {
    [symbols.needsMetadataGsym]: true,
    lastMsg: '',
    write(line: string): void {
      waiting += line;
      if (batched.lastMsg !== REQUEST_LINE || waiting.length > BATCH_LENGTH) flush();
    },
    flush(done?: () => void): void {
      flush();
      done?.();
    },
  };
  return batched;
}

/** Chosen fields only: a library's error may carry a command with a password, or quote the JSON it could not read. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error, message: cut(String(error)) };
  const { code } = error as { code?: unknown };
  const message = error instanceof SyntaxError ? 'not valid JSON' : error.message;
  const frames = error.stack?.slice(error.stack.indexOf(error.message) + error.message.length);
  return {
    type: error.name,
    message: cut(message),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    stack: cut(frames),
    ...(error.cause !== undefined && { cause: describeError(error.cause) }),
  };
}

function cut(value: unknown): unknown {
  return typeof value === 'string' && value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}...` : value;
}

import { pino, type DestinationStream, type Logger } from 'pino';
import { redisReason } from '../errors.js';
import { createLogOutput } from './log-output.js';

const MAX_STACK = 2_048;
const MAX_FIELD = 512;
const MAX_ITEMS = 30;
const MAX_ITEM = 128;

/** JSON lines on standard output; with `pretty`, text for people if `pino-pretty` is installed. */
export function createLog({
  level,
  pretty,
  to,
  onDropped = () => undefined,
}: {
  level: string;
  pretty: boolean;
  to?: NodeJS.WritableStream | undefined;
  onDropped?: () => void;
}): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: ['req.headers', 'res.headers', '*.accessToken', '*.refreshToken', '*.codeVerifier'],
    serializers: { err: describeError },
    formatters: { log: boundFields },
  };
  if (to !== undefined) return pino(options, to as DestinationStream);
  if (pretty) {
    const transport = { target: 'pino-pretty', options: { ignore: 'pid,hostname' } };
    try {
      return pino({ ...options, transport });
    } catch {
      // pino-pretty is a development dependency; without those it is JSON
    }
  }
  return pino(options, createLogOutput({ fd: process.stdout.fd, onDropped }));
}

/** Every text of somebody else in a line is bounded: paths, hints, scopes, addresses. */
function boundFields(fields: Record<string, unknown>): Record<string, unknown> {
  const bounded = { ...fields };
  for (const name in bounded) bounded[name] = boundField(bounded[name]);
  return bounded;
}

const boundField = (value: unknown): unknown =>
  Array.isArray(value) ? boundList(value) : cut(value, MAX_FIELD);

function boundList(list: readonly unknown[]): unknown[] {
  const bounded = list.slice(0, MAX_ITEMS).map((item) => cut(item, MAX_ITEM));
  return list.length > MAX_ITEMS ? [...bounded, `and ${list.length - MAX_ITEMS} more`] : bounded;
}

/** Chosen fields only: a library's error may hold a password, or the JSON it could not parse. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error, message: cut(String(error)) };
  const { code } = error as { code?: unknown };
  const message = error instanceof SyntaxError ? 'not valid JSON' : redisReason(error);
  const frames = error.stack?.slice(error.stack.indexOf(error.message) + error.message.length);
  return {
    type: error.name,
    message: cut(message),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    stack: cut(frames),
    ...(error.cause !== undefined && { cause: describeError(error.cause) }),
  };
}

function cut(value: unknown, length = MAX_STACK): unknown {
  return typeof value === 'string' && value.length > length
    ? `${value.slice(0, length)}...`
    : value;
}

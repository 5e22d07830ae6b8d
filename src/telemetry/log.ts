import { pino, type DestinationStream, type Logger } from 'pino';

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
  };
  if (to !== undefined) return pino(options, to as DestinationStream);
  if (pretty) return pino({ ...options, transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname' } } });
  return pino(options);
}

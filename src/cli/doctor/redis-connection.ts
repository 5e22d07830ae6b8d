import type { Cluster, Redis } from 'ioredis';
import { fail, type Result } from './check.js';
import { codeOf } from './explain.js';

const CONNECT_WITHIN_MS = 3_000;

/** @throws the error that names the reason; the one of `connect()` itself says only that the connection is closed. */
export async function connect(redis: Redis | Cluster): Promise<void> {
  let seen: Error | undefined;
  redis.on('error', (error: Error) => (seen = error));
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })), CONNECT_WITHIN_MS);
  });
  try {
    await Promise.race([redis.connect().then(() => redis.get('ping')), tooLate]);
  } catch (error) {
    throw seen ?? error;
  } finally {
    clearTimeout(timer);
  }
}

/** By the code of the reply or of the socket. */
export function explainRedis(error: unknown): Result {
  const { message = '' } = error as { message?: string };
  const reply = /^[A-Z]{4,}(?= )/.exec(message)?.[0];
  const code = reply ?? codeOf(error);
  const [cause, fix] = REASONS[code] ?? ['Redis does not answer', 'is Redis running where REDIS_URL says, and is the way there open?'];
  return fail(`${cause} (${code})`, fix);
} // prettier-ignore

const NO_PASSWORD = ['Redis refuses our name or password', 'put the right ones into REDIS_URL: rediss://name:password@host:port; special characters percent-encoded'] as const; // prettier-ignore

const REASONS: Readonly<Record<string, readonly [string, string]>> = {
  ECONNREFUSED: ['nothing listens where REDIS_URL points', 'start Redis, or correct host and port in REDIS_URL'],
  ENOENT: ['there is no socket where REDIS_URL points', 'start Redis, or correct the path in REDIS_URL'],
  ENOTFOUND: ['DNS does not know the host in REDIS_URL', 'correct the host in REDIS_URL'],
  WRONGPASS: NO_PASSWORD,
  NOAUTH: NO_PASSWORD,
  LOADING: ['Redis is still reading its data from disk', 'wait a moment and run this again'],
  ECONNRESET: ['Redis closed the connection', 'TLS on one side only? rediss:// is with TLS, redis:// without'],
  ERR_SSL_WRONG_VERSION_NUMBER: ['REDIS_URL says TLS, but Redis speaks without', 'write redis:// in REDIS_URL, or switch TLS on in Redis'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['the certificate of Redis is not trusted here', 'set REDIS_CA_FILE to the PEM file of its CA'],
  SELF_SIGNED_CERT_IN_CHAIN: ['the certificate of Redis is not trusted here', 'set REDIS_CA_FILE to the PEM file of its CA'],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['the certificate of Redis is not trusted here', 'set REDIS_CA_FILE to the PEM file of its CA'],
}; // prettier-ignore

import { OutcomeUnknownError, UnavailableError } from '../errors.js';
import type { Access } from './api-call.js';
import { NeverSentError } from './unavailable.js';

/** There was no connection: DNS, TCP or TLS failed before a byte of the request could leave. */
const NEVER_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * Sends a write. What fails before it is sent (no token, no connection, our own limits), and what
 * GetBill refuses, throws as it is.
 * @throws {OutcomeUnknownError} the write left, and no usable response came back.
 */
export async function withKnownOutcome<Result>(
  access: Access,
  send: (access: Access) => Promise<Result>,
): Promise<Result> {
  let isRefused = false as boolean; // by a 401, while a newer token is being fetched
  async function renew(rejected: string) {
    isRefused = true;
    const renewed = await access.renew(rejected);
    isRefused = false;
    return renewed;
  }
  try {
    return await send({ ...access, renew });
  } catch (error) {
    if (isRefused || !(error instanceof UnavailableError) || wasNeverSent(error)) throw error;
    throw new OutcomeUnknownError(error);
  }
}

function wasNeverSent(error: UnavailableError): boolean {
  if (error.status === 429 || error.code === 'too_many_open_calls') return true;
  return isConnectFailure(error.cause);
}

/** By codes, also those of the causes: errors of undici and Node may be of another realm. */
function isConnectFailure(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if (error instanceof NeverSentError) return true;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  const isKnown = typeof code === 'string' && (NEVER_CONNECTED.has(code) || isTls(code));
  return isKnown || isConnectFailure(cause);
}

/** A failed certificate or handshake. Other TLS alerts may come after the request has left. */
const isTls = (code: string): boolean =>
  /^(CERT_|ERR_TLS_|ERR_SSL_\w*(?:HANDSHAKE|VERSION)|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|TLS_PIN)/.test(
    code,
  );

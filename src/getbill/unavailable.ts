import { errors } from 'undici';
import { UnavailableError } from '../errors.js';
import type { ProxyInUse } from './proxy.js';

/** Nobody waits for the response any more; nothing is wrong. */
export const browserLeft = (cause?: unknown): UnavailableError =>
  new UnavailableError('the browser has left', { code: 'browser_left', status: 499, cause });

/** There was no connection to send the request over: no byte of it has left. */
export class NeverSentError extends Error {
  constructor(cause: unknown, proxy?: ProxyInUse) {
    const way = proxy && `: no connection through the proxy ${proxy.url.host} (${proxy.variable})`;
    super(`the request was not sent${way ?? ''}`, { cause });
  }
}

/**
 * The error of a failed or cut call, for its caller. An error that is ours already passes through.
 */
export function unavailableBecause(failure: unknown): UnavailableError {
  const error = failure instanceof NeverSentError ? failure.cause : failure;
  if (error instanceof UnavailableError) return error;
  const { name } = (error ?? {}) as { name?: unknown }; // a DOMException may be of another realm
  const timedOut = name === 'TimeoutError' || error instanceof errors.ConnectTimeoutError;
  return timedOut
    ? new UnavailableError('GetBill did not answer in time', {
        code: 'getbill_timeout',
        status: 504,
        cause: failure,
      })
    : new UnavailableError('GetBill could not be reached', {
        code: 'getbill_unreachable',
        status: 502,
        cause: failure,
      });
}

/** The connection ended, not the call: the other side closed it, or a device in between did. */
export function isConnectionLost(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return (
    error instanceof errors.SocketError ||
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    code === 'ETIMEDOUT'
  );
}

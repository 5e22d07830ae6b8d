import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { Agent, errors } from 'undici';
import type { GetbillConfig } from '../config.js';
import { UnavailableError } from '../errors.js';
import type { Emit } from '../events.js';
import { createPinCheck } from './tls-pins.js';

const TOKEN_ANSWER_LIMIT = 64 * 1024;
const CONNECTIONS_PER_HOST = 128;

export interface UpstreamRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Buffer | undefined;
  readonly timeoutMs: number;
  /** Is given what ends the call, for when the browser has gone. */
  readonly onLeave?: ((leave: () => void) => void) | undefined;
}

export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
  /** The whole body, faster than by reading the stream. */
  readonly whole: () => Promise<Buffer>;
}

/** The connection pool to GetBill: one deadline over a whole call, redirects never followed, certificates always checked. */
export interface Upstream {
  /** @throws {UnavailableError} 504 past the deadline, 502 for a connection or certificate that fails. */
  open(url: URL, request: UpstreamRequest): Promise<UpstreamAnswer>;
  /** A small answer read whole, for the token endpoint. Throws as `open`. */
  send: (
    url: URL,
    request: { headers: Record<string, string>; body: string; timeoutMs: number },
  ) => Promise<{ status: number; body: string; retryAfterS: number | undefined }>;
  close(): Promise<void>;
}

export function createUpstream({ config, emit }: { config: GetbillConfig; emit: Emit }): Upstream {
  const agent = new Agent({
    connections: CONNECTIONS_PER_HOST,
    headersTimeout: config.timeoutMs,
    bodyTimeout: config.timeoutMs,
    connect: {
      timeout: config.timeoutMs,
      ...(config.caFile !== undefined && { ca: readFileSync(config.caFile) }),
      ...(config.tlsPins.length > 0 && { checkServerIdentity: createPinCheck({ config, emit }) }),
    },
  });

  async function open(
    url: URL,
    { method, headers, body, timeoutMs, onLeave }: UpstreamRequest,
  ): Promise<UpstreamAnswer> {
    const end = startDeadline(timeoutMs);
    onLeave?.(end.leave);
    try {
      const answer = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: method,
        headers,
        body: body ?? null,
        signal: end.signal,
      });
      const { body: stream, statusCode, headers: received } = answer;
      stream.once('close', end.clear);
      const whole = async (): Promise<Buffer> => Buffer.from(await stream.arrayBuffer().finally(end.clear));
      return { status: statusCode, headers: received, body: stream, whole };
    } catch (error) {
      end.clear();
      throw unavailable(error, url);
    }
  }

  function unavailable(error: unknown, url: URL): UnavailableError {
    const { code } = error as { code?: unknown };
    if (typeof code === 'string' && isTlsFault(code)) emit({ type: 'tls_failed', host: url.host, reason: code });
    return unavailableBecause(error);
  }

  return {
    open,
    async send(url, request) {
      const { status, headers, body } = await open(url, { ...request, method: 'POST' });
      try {
        const retryAfterS = Number(headers['retry-after']);
        return {
          status,
          body: (await readAtMost(body, TOKEN_ANSWER_LIMIT)).toString('utf8'),
          retryAfterS: retryAfterS >= 0 ? retryAfterS : undefined,
        };
      } catch (error) {
        throw unavailableBecause(error);
      }
    },
    close: () => agent.destroy(),
  };
}

interface Deadline {
  signal: AbortSignal;
  leave: () => void;
  /** From here on neither time nor leaving ends anything. */
  clear: () => void;
}

function startDeadline(timeoutMs: number): Deadline {
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(new DOMException('past the deadline', 'TimeoutError')), timeoutMs);
  let over = false;
  return {
    signal: end.signal,
    leave() {
      if (!over) end.abort();
    },
    clear() {
      over = true;
      clearTimeout(timer);
    },
  };
}

/** Nobody is there to be answered; nothing is wrong. */
export const browserLeft = (cause: unknown): UnavailableError =>
  new UnavailableError('the browser has left', { code: 'browser_left', status: 499, cause });

/** What a failed or cut call means to the caller. An error that is ours already passes through. */
export function unavailableBecause(error: unknown): UnavailableError {
  if (error instanceof UnavailableError) return error;
  const { name } = (error ?? {}) as { name?: unknown }; // a DOMException may be of another realm
  if (name === 'AbortError') return browserLeft(error);
  const timedOut =
    name === 'TimeoutError' ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    error instanceof errors.ConnectTimeoutError;
  return timedOut
    ? new UnavailableError('GetBill did not answer in time', { code: 'getbill_timeout', status: 504, cause: error })
    : new UnavailableError('GetBill could not be reached', { code: 'getbill_unreachable', status: 502, cause: error });
}

/** @throws {UnavailableError} more than `limit` bytes. */
async function readAtMost(body: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit)
      throw new UnavailableError('the answer is too large', { code: 'answer_too_large', status: 502 });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const isTlsFault = (code: string): boolean =>
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|TLS_PIN)/.test(code);

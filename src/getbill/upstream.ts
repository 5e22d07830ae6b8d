import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { GetbillConfig } from '../config/config.js';
import { channels, traced, type HttpExchange } from '../tracing.js';
import type { Emit } from '../events.js';
import { createAgent } from './agent.js';
import { onAbort, sendSafe, type Response, type SendOptions, type SendOver } from './send-safe.js';
import { checkAnnouncedLength, pastDeadline, readBody, tooLarge } from './response-body.js';
import { responseText } from './response-text.js';
import { createPinCheck } from './tls-pins.js';
import { browserLeft, unavailableBecause } from './unavailable.js';
import { USER_AGENT } from './user-agent.js';

/** Connections to the API per process. */
export const API_CONNECTIONS = 128;
const TOKEN_CONNECTIONS = 32;
/** Waiting time for chunks over a whole body, in times of `timeoutMs`: a trickle ends. */
const FLOW_TIMEOUTS = 10;

export type Target = Pick<URL, 'origin' | 'host' | 'pathname' | 'search'>;

export interface UpstreamRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Buffer | undefined;
  /** Until the head of the response; then the longest silence between two chunks of its body. */
  readonly timeoutMs: number;
  /** Ends the call: the browser has gone. */
  readonly signal?: AbortSignal | undefined;
  /** Throws to reject a response by its head, before the body is read. */
  readonly accept?: ((head: ResponseHead) => void) | undefined;
}

export interface ResponseHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

export interface UpstreamResponse extends ResponseHead {
  /** Up to 64 KiB whole; longer as a stream, which fails with an UnavailableError. */
  readonly body: Buffer | Readable;
}

/**
 * Calls to GetBill: redirects never followed, certificates always checked. A GET or HEAD that a kept
 * connection loses goes again, once, on a new one; anything else is sent once. Token calls have
 * connections of their own, a new one each, so that they never wait behind API calls.
 */
export interface Upstream {
  /** @throws {UnavailableError} 504 past the deadline, 502 for a connection or certificate that fails. */
  open(url: Target, request: UpstreamRequest): Promise<UpstreamResponse>;
  /** For the token endpoint: a POST with a small response. Throws as `open`. */
  send: (
    url: URL,
    request: { headers: Record<string, string>; body: string; timeoutMs: number },
  ) => Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>;
  close(): Promise<void>;
}

export function createUpstream({ config, emit }: { config: GetbillConfig; emit: Emit }): Upstream {
  const checkPins = config.tlsPins.length > 0 ? createPinCheck({ config, emit }) : undefined;
  const agent = (connections: number, keepAlive: boolean): Dispatcher =>
    createAgent({ config, checkPins, connections, keepAlive });
  const api = agent(API_CONNECTIONS, true);
  const apiAgain = agent(API_CONNECTIONS, false);
  const token = agent(TOKEN_CONNECTIONS, false);

  function call(target: Target, request: UpstreamRequest, send: Send): Promise<UpstreamResponse> {
    const { method, headers, body } = request;
    const url = target.origin + target.pathname + target.search;
    const exchange: HttpExchange = { method, url, headers, body };
    return traced(channels.http, exchange, () => callInTime(target, request, send, exchange));
  }

  /** One call: a deadline until the head of the response, then limits on its body. */
  async function callInTime(
    target: Target,
    request: UpstreamRequest,
    send: Send,
    exchange: HttpExchange,
  ): Promise<UpstreamResponse> {
    const ending = new AbortController();
    const stopListening = onAbort(request.signal, () => ending.abort(browserLeft(undefined)));
    const deadline = setTimeout(() => ending.abort(pastDeadline()), request.timeoutMs);
    try {
      const received = await unlessAborted(ending.signal, send(ending.signal, exchange));
      clearTimeout(deadline);
      received.body.once('close', stopListening);
      return await receive(received, request, ending, exchange);
    } catch (error) {
      clearTimeout(deadline);
      stopListening();
      ending.abort(error);
      const { code } = error as { code?: unknown };
      if (typeof code === 'string' && isTlsFault(code)) {
        emit({ type: 'tls_failed', host: target.host, reason: code });
      }
      throw unavailableBecause(error);
    }
  }

  return {
    open: (target, request) =>
      call(target, request, (signal, exchange) => {
        const { timeoutMs, method } = request;
        const once: SendOver = (agent, options) => send(agent, target, request, options);
        if (!isSafe(method)) return once(api, { signal });
        return sendSafe(once, { api, apiAgain, timeoutMs, signal, exchange });
      }),
    async send(url, { headers, ...rest }) {
      const request = { ...rest, method: 'POST', headers };
      const response = await call(url, request, (signal) => send(token, url, request, { signal }));
      const { status, headers: received, body } = response;
      if (Buffer.isBuffer(body))
        return { status, headers: received, body: responseText(received, body) };
      body.destroy();
      throw tooLarge();
    },
    async close() {
      await Promise.all([api, apiAgain, token].map((each) => each.destroy()));
    },
  };
}

type Send = (signal: AbortSignal, exchange: HttpExchange) => Promise<Response>;
function send(
  agent: Dispatcher,
  { origin, pathname, search }: Target,
  { method, headers, body }: UpstreamRequest,
  { signal, sentOver }: SendOptions,
): Promise<Response> {
  return agent.request<unknown>({
    origin,
    path: pathname + search,
    method: method,
    headers: { ...headers, 'user-agent': USER_AGENT },
    body: body ?? null,
    signal,
    opaque: sentOver ?? null,
  });
}

const isSafe = (method: string): boolean => method === 'GET' || method === 'HEAD';

/** @throws {UnavailableError} as `accept`, or 502: too large. */
async function receive(
  { statusCode: status, headers, body }: Response,
  { accept, timeoutMs }: UpstreamRequest,
  ending: AbortController,
  exchange: HttpExchange,
): Promise<UpstreamResponse> {
  exchange.head = { status, headers };
  body.on('error', () => undefined); // it may be destroyed before anybody reads
  checkAnnouncedLength(Number(headers['content-length'] ?? 0));
  accept?.({ status, headers });
  const limits = { idleMs: timeoutMs, flowMs: timeoutMs * FLOW_TIMEOUTS };
  return { status, headers, body: await readBody(body, { ...limits, call: ending }) };
}

/** undici does not settle an aborted request that waits for a connection before it has one. */
function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = onAbort(signal, () => reject(signal.reason as Error));
    work.then(resolve, reject).finally(stop);
  });
}

const isTlsFault = (code: string): boolean =>
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|TLS_PIN)/.test(code);

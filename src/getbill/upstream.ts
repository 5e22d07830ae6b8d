import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { GetbillConfig } from '../config/config.js';
import { channels, traced, type HttpExchange } from '../tracing.js';
import type { Emit } from '../events.js';
import type { CallSignal } from './call-signal.js';
import { createAgent, proxyFailureOf, type AgentOptions } from './agent.js';
import { proxyFor } from './proxy.js';
import { tooLarge } from './response-body.js';
import { responseText } from './response-text.js';
import { createPinCheck } from './tls-pins.js';
import { NeverSentError, unavailableBecause } from './unavailable.js';
import type { ResponseHead } from './upstream-attempt.js';
import { callUpstream, type UpstreamCall, type UpstreamResponse } from './upstream-call.js';
import { USER_AGENT } from './user-agent.js';

/** Connections to the API per process. */
export const API_CONNECTIONS = 128;
const TOKEN_CONNECTIONS = 32;

export type Target = Pick<URL, 'origin' | 'host' | 'pathname' | 'search'>;

export interface UpstreamRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Buffer | undefined;
  /**
   * Until the head of the response; without `idleMs`, until its end: a token call has to end before
   * its lease does.
   */
  readonly timeoutMs: number;
  /** The longest silence between two chunks of its body. */
  readonly idleMs?: number;
  /** Ends the call: the browser has gone. */
  readonly signal?: CallSignal | undefined;
  /** Throws to reject a response by its head, before the body is read. */
  readonly accept?: ((head: ResponseHead) => void) | undefined;
}

/**
 * Calls to GetBill: redirects never followed, certificates always checked. A GET or HEAD that a
 * kept connection loses goes again, once, on a new one; anything else is sent once. Token calls
 * have connections of their own, a new one each, so that they never wait behind API calls.
 */
export interface Upstream {
  /**
   * @throws {UnavailableError} 504 past the deadline, 502 for a connection or certificate that
   * fails.
   */
  open(url: Target, request: UpstreamRequest): Promise<UpstreamResponse>;
  /**
   * For the token endpoint: a POST with a small response, whole within `timeoutMs`. Throws as
   * `open`.
   */
  send: (
    url: URL,
    request: { headers: Record<string, string>; body: string; timeoutMs: number },
  ) => Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>;
  close(): Promise<void>;
}

export function createUpstream({ config, emit }: { config: GetbillConfig; emit: Emit }): Upstream {
  const checkPins = config.tlsPins.length > 0 ? createPinCheck({ config, emit }) : undefined;
  const agent = (options: Pick<AgentOptions, 'connections' | 'keepAlive'>): Dispatcher =>
    createAgent({ config, checkPins, ...options });
  const api = agent({ connections: API_CONNECTIONS, keepAlive: true });
  const apiAgain = agent({ connections: API_CONNECTIONS, keepAlive: false });
  const token = agent({ connections: TOKEN_CONNECTIONS, keepAlive: false });

  function call(
    target: Target,
    request: UpstreamRequest,
    agents: Pick<UpstreamCall, 'agent' | 'again'>,
  ): Promise<UpstreamResponse> {
    const { method, headers, body = null, timeoutMs, idleMs, signal, accept } = request;
    const { origin, pathname, search } = target;
    const path = pathname + search;
    const exchange: HttpExchange = { method, url: origin + path, headers, body: body ?? undefined };
    const sent = { origin, path, method, body, headers: { ...headers, 'user-agent': USER_AGENT } };
    return traced(channels.http, exchange, () =>
      callUpstream({ request: sent, ...agents, timeoutMs, idleMs, signal, accept, exchange }).catch(
        (error: unknown) => fail(error, target, exchange),
      ),
    );
  }

  /** Tells of a TLS fault, and throws what a caller can tell its visitor. */
  function fail(error: unknown, { origin, host }: Target, { mayHaveLeft }: HttpExchange): never {
    const proxy = proxyFor(new URL(origin), config.proxy);
    const atProxy = proxyFailureOf(error);
    const { code } = (atProxy ?? error) as { code?: unknown };
    if (typeof code === 'string' && isTlsFault(code))
      emit({ type: 'tls_failed', host: (atProxy && proxy?.url.host) ?? host, reason: code });
    throw unavailableBecause(mayHaveLeft === true ? error : new NeverSentError(error, proxy));
  }

  return {
    open: (target, request) =>
      call(target, request, { agent: api, again: isSafe(request.method) ? apiAgain : undefined }),
    async send(url, { headers, ...rest }) {
      const request = { ...rest, method: 'POST', headers };
      const response = await call(url, request, { agent: token });
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

const isSafe = (method: string): boolean => method === 'GET' || method === 'HEAD';

const isTlsFault = (code: string): boolean =>
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|TLS_PIN)/.test(code);

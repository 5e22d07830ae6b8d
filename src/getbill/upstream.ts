import { readFileSync } from 'node:fs';
import { Agent } from 'undici';
import type { GetbillConfig } from '../config/config.js';
import type { Emit } from '../events.js';
import { Exchange, tooLarge, type AnswerHead, type UpstreamAnswer } from './exchange.js';
import { createPinCheck } from './tls-pins.js';
import { unavailableBecause } from './unavailable.js';

const CONNECTIONS_PER_HOST = 128;

export type Target = Pick<URL, 'origin' | 'host' | 'pathname' | 'search'>;

export interface UpstreamRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Buffer | undefined;
  readonly timeoutMs: number;
  /** Is given what ends the call, for when the browser has gone. */
  readonly onLeave?: ((leave: () => void) => void) | undefined;
  /** Throws at an answer whose body is not worth reading. */
  readonly accept?: ((head: AnswerHead) => void) | undefined;
}

/** The connection pool to GetBill: one deadline over a whole call, redirects never followed, certificates always checked. */
export interface Upstream {
  /** @throws {UnavailableError} 504 past the deadline, 502 for a connection or certificate that fails. */
  open(url: Target, request: UpstreamRequest): Promise<UpstreamAnswer>;
  /** A small answer, for the token endpoint. Throws as `open`. */
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
    { origin, host, pathname, search }: Target,
    { method, headers, body, timeoutMs, onLeave, accept }: UpstreamRequest,
  ): Promise<UpstreamAnswer> {
    const exchange = new Exchange({ timeoutMs, accept });
    onLeave?.(() => {
      exchange.leave();
    });
    try {
      agent.dispatch({ origin, path: pathname + search, method, headers, body: body ?? null }, exchange);
      return await exchange.answer;
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (typeof code === 'string' && isTlsFault(code)) emit({ type: 'tls_failed', host, reason: code });
      throw unavailableBecause(error);
    }
  }

  return {
    open,
    async send(url, request) {
      const { status, headers, body } = await open(url, { ...request, method: 'POST' });
      if (!Buffer.isBuffer(body)) {
        body.destroy();
        throw tooLarge();
      }
      const retryAfterS = Number(headers['retry-after']);
      return { status, body: body.toString('utf8'), retryAfterS: retryAfterS >= 0 ? retryAfterS : undefined };
    },
    close: () => agent.destroy(),
  };
}

const isTlsFault = (code: string): boolean =>
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|TLS_PIN)/.test(code);

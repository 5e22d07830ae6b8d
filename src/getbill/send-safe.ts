import type { Dispatcher } from 'undici';
import type { HttpExchange } from '../tracing.js';
import type { SentOver } from './agent.js';
import { isConnectionLost } from './unavailable.js';

export type Response = Dispatcher.ResponseData<unknown>;
export type SendOver = (agent: Dispatcher, options: SendOptions) => Promise<Response>;

export interface SendOptions {
  readonly signal: AbortSignal;
  readonly sentOver?: SentOver;
}

/**
 * A GET goes over a kept connection first. It goes again, once, over a new connection when the other
 * side has closed the kept one, or when half of the deadline passes in silence: a NAT that has forgotten
 * a connection drops its packets without a word. The first response wins.
 */
export async function sendSafe(
  once: SendOver,
  { api, apiAgain, timeoutMs, signal, exchange }: SafeOptions,
): Promise<Response> {
  const sentOver: SentOver = { keptConnection: false };
  const first = attempt(once, api, { signal, sentOver });
  const silence = timer(timeoutMs / 2);
  try {
    const early = await Promise.race([first.response, silence.passed]);
    if (early !== undefined) return early;
  } catch (error) {
    if (!sentOver.keptConnection || !isConnectionLost(error)) throw error;
    exchange.resent = 'connection_lost';
    return await once(apiAgain, { signal });
  } finally {
    silence.stop();
  }
  if (!sentOver.keptConnection) return await first.response;
  exchange.resent = 'silence';
  return await firstResponse(first, attempt(once, apiAgain, { signal }));
}

interface SafeOptions {
  readonly api: Dispatcher;
  readonly apiAgain: Dispatcher;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly exchange: HttpExchange;
}

interface Attempt {
  readonly response: Promise<Response>;
  readonly cancel: () => void;
}

/** A request that can be cancelled alone. */
function attempt(once: SendOver, agent: Dispatcher, { signal, ...options }: SendOptions): Attempt {
  const own = new AbortController();
  onAbort(signal, () => own.abort(signal.reason));
  return { response: once(agent, { ...options, signal: own.signal }), cancel: () => own.abort() };
}

/** Cancels the other one. @throws as the second, when both fail. */
function firstResponse(first: Attempt, second: Attempt): Promise<Response> {
  let winner: Attempt | undefined;
  const win = async (one: Attempt, other: Attempt): Promise<Response> => {
    const response = await one.response;
    winner ??= one;
    if (winner === one) other.cancel();
    return response;
  };
  return Promise.any([win(first, second), win(second, first)]).catch(() => second.response);
}

function timer(ms: number): { passed: Promise<undefined>; stop: () => void } {
  let timeout: NodeJS.Timeout | undefined;
  const passed = new Promise<undefined>((resolve) => {
    timeout = setTimeout(resolve, ms, undefined);
  });
  return { passed, stop: () => clearTimeout(timeout) };
}

/** @returns the function that ends the listening. */
export function onAbort(signal: AbortSignal | undefined, react: () => void): () => void {
  if (signal === undefined) return () => undefined;
  if (signal.aborted) react();
  signal.addEventListener('abort', react);
  return () => signal.removeEventListener('abort', react);
}

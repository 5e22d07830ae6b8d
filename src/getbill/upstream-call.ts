import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { HttpExchange } from '../tracing.js';
import type { CallSignal } from './call-signal.js';
import { checkAnnouncedLength, pastDeadline, ResponseBody } from './response-body.js';
import { Attempt, type Connection, type ResponseHead } from './upstream-attempt.js';
import { browserLeft, isConnectionLost } from './unavailable.js';

export interface UpstreamResponse extends ResponseHead {
  /** Up to 64 KiB whole; longer as a stream, which fails with an UnavailableError. */
  readonly body: Buffer | Readable;
}

export interface UpstreamCall {
  readonly request: Dispatcher.DispatchOptions;
  readonly agent: Dispatcher;
  /** Makes a new connection; absent where a request may not be sent twice. */
  readonly again?: Dispatcher | undefined;
  /** Until the head of the response; without `idleMs`, until its end. */
  readonly timeoutMs: number;
  /** The longest silence between two chunks of its body. */
  readonly idleMs?: number | undefined;
  readonly signal?: CallSignal | undefined;
  /** Throws to reject a response by its head, before the body is read. */
  readonly accept?: ((head: ResponseHead) => void) | undefined;
  /**
   * Learns whether the request may have left, why it was sent once more, and the head of the
   * response.
   */
  readonly exchange: HttpExchange;
}

/**
 * One call over undici's handlers: its own `request` costs a stream and several promises, a tenth
 * of a proxied call. What may be sent again is, once, over a new connection: when the other side
 * has closed the kept one, or when half of the deadline passes in silence, because a NAT that has
 * forgotten a connection drops its packets without a word. The first response to begin wins.
 */
export function callUpstream(options: UpstreamCall): Promise<UpstreamResponse> {
  const { request, agent, again, timeoutMs, idleMs, signal, accept, exchange } = options;
  return new Promise((resolve, reject) => {
    const attempts = new Set<Attempt>();
    let body: ResponseBody | undefined;
    const deadline = setTimeout(() => fail(pastDeadline()), timeoutMs);
    const halfTime = again && setTimeout(onSilence, timeoutMs / 2);
    signal?.addEventListener('abort', onLeave);
    if (signal?.aborted === true) onLeave();
    else send(agent);

    function send(over: Dispatcher): void {
      const attempt = new Attempt({ onStart, onHead, onEnd, onError });
      attempts.add(attempt);
      over.dispatch({ ...request, opaque: attempt } as Dispatcher.DispatchOptions, attempt);
    }

    function sendAgain(because: 'connection_lost' | 'silence'): void {
      exchange.resent = because;
      if (again) send(again);
    }

    function onSilence(): void {
      const [first] = attempts;
      if (first?.keptConnection === true) sendAgain('silence');
    }

    function onStart(): void {
      exchange.mayHaveLeft = true;
    }

    function onError(attempt: Attempt, error: Error): void {
      if (!attempts.delete(attempt)) return;
      // it has no body, whatever it announced
      if (body !== undefined && exchange.head?.status === 204) return onEnd();
      const mayResend = again !== undefined && exchange.resent === undefined;
      const wasLost = attempt.keptConnection && isConnectionLost(error);
      if (mayResend && wasLost && body === undefined) sendAgain('connection_lost');
      else if (attempts.size === 0) fail(error);
    }

    function onHead(attempt: Attempt, connection: Connection, head: ResponseHead): ResponseBody {
      if (idleMs !== undefined) clearTimeout(deadline);
      clearTimeout(halfTime);
      cancelAllBut(attempt);
      exchange.head = head;
      body = new ResponseBody({
        connection,
        idleMs: idleMs ?? timeoutMs,
        onBody: (whole) => resolve({ ...head, body: whole }),
        endCall: fail,
      });
      try {
        checkAnnouncedLength(Number(head.headers['content-length'] ?? 0));
        accept?.(head);
      } catch (error) {
        fail(error as Error);
      }
      return body;
    }

    function onLeave(): void {
      fail(browserLeft());
    }

    function onEnd(): void {
      clearTimeout(deadline);
      attempts.clear();
      signal?.removeEventListener('abort', onLeave);
      body?.end();
    }

    /** Ends the call, wherever it is; without effect on one that has ended. */
    function fail(error: Error): void {
      clearTimeout(deadline);
      clearTimeout(halfTime);
      signal?.removeEventListener('abort', onLeave);
      cancelAllBut(undefined);
      body?.fail(error);
      reject(error);
    }

    function cancelAllBut(winner: Attempt | undefined): void {
      for (const attempt of attempts) {
        if (attempt === winner) continue;
        attempts.delete(attempt); // undici reports the end of a cancelled one at once
        attempt.cancel();
      }
    }
  });
}

import { Readable } from 'node:stream';
import { AppError } from '../../core/errors.js';
import type { HttpExchange } from '../../tracing.js';
import type { Mask } from '../masking.js';
import { kindOfCall, requestMessage, responseMessage, type CallKind } from '../messages.js';
import { afterwardsOf, chainOf } from './place.js';
import { ignored, quietly, type Pending, type Settled, type StepWriter } from './step-writer.js';

interface Call extends Pending {
  readonly kind: CallKind;
}

/** The calls of the app to GetBill: to be subscribed to `channels.http`. */
export function recordGetbill(
  { append, inPlace }: StepWriter,
  { mask, apiUrl }: { mask: Mask; apiUrl: URL },
) {
  const open = new WeakMap<HttpExchange, Call>();

  const startCall = inPlace<HttpExchange>((exchange, place) => {
    const kind = kindOfCall(exchange);
    if (place.renewal) place.renewal.asked = true;
    const chain = kind === 'revocation' ? afterwardsOf(place.story) : chainOf(place); // nobody waits for it
    const message = requestMessage(exchange, mask);
    const title = kind === 'api' ? `${exchange.method} ${apiPath(exchange)}` : CALLS[kind];
    const number = append(place, {
      chain,
      kind: 'request',
      from: 'app',
      to: 'getbill',
      title,
      topic: kind,
      oauth: kind !== 'api',
      message,
    });
    open.set(exchange, { kind, place, chain, number, startedMs: performance.now() });
  });

  const apiPath = ({ url }: HttpExchange): string => {
    const { pathname } = new URL(url);
    const base = apiUrl.pathname.replace(/\/$/, '');
    return pathname.startsWith(base) ? pathname.slice(base.length) : pathname;
  };

  /** A long body of the API is handed on while it comes: its call ends when it does. */
  function settleCall(exchange: HttpExchange & Settled): void {
    const { result, error } = exchange;
    const body = (result as { body?: unknown } | undefined)?.body;
    const end = (response: CallResponse): void => quietly(() => endCall(exchange, response));
    if (!(body instanceof Readable)) end({ body, failure: codeOf(error) });
    else if (open.get(exchange)?.kind !== 'api') end({ failure: 'answer_too_large' });
    else {
      body.once('end', () => end({}));
      body.once('error', (fault) => end({ failure: codeOf(fault) }));
      body.once('close', () => end({ failure: 'browser_left' }));
    }
  }

  /** Without effect on a call that has ended. */
  function endCall(exchange: HttpExchange, { body, failure }: CallResponse): void {
    const call = open.get(exchange);
    if (call === undefined) return;
    open.delete(exchange);
    const { kind, place, chain, number, startedMs } = call;
    const bytes = Buffer.isBuffer(body) ? body : undefined;
    const { message, judgement } = responseMessage(exchange, { body: bytes, failure }, mask);
    if (exchange.resent !== undefined) {
      void append(place, {
        chain,
        kind: 'note',
        from: 'app',
        to: 'app',
        title: RESENT[exchange.resent],
        topic: 'given_up',
        outcome: 'neutral',
      });
    }
    void append(
      place,
      {
        chain,
        kind: 'response',
        from: 'getbill',
        to: 'app',
        title: judgement.title,
        outcome: judgement.failed ? 'failed' : 'ok',
        topic: kind === 'api' ? 'api_response' : 'token_response',
        oauth: kind !== 'api',
        durationMs: performance.now() - startedMs,
        ...(message && { message }),
      },
      number,
    );
  }

  return { ...ignored, start: startCall, asyncEnd: settleCall };
}

/** Its body where it came whole, and why there is none. */
interface CallResponse {
  readonly body?: unknown;
  readonly failure?: string | undefined;
}

const CALLS: Record<Exclude<CallKind, 'api'>, string> = {
  authorization_code: 'Code exchange',
  refresh_token: 'Refresh request',
  client_credentials: 'App token request',
  revocation: 'Revocation',
};

const RESENT = {
  connection_lost: 'The kept connection was closed by GetBill: sent again over a new one',
  silence: 'Half of the time passed in silence: sent again over a new connection as well',
};

function codeOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  return error instanceof AppError ? error.code : 'getbill_unreachable';
}

import { Readable } from 'node:stream';
import { AppError } from '../../core/errors.js';
import type { HttpExchange } from '../../tracing.js';
import type { Mask } from '../masking.js';
import { kindOfCall, requestMessage, responseMessage, type CallKind } from '../messages.js';
import { afterwardsOf, chainOf } from './place.js';
import { quietly, unread, type Pending, type Settled, type StepWriter } from './step-writer.js';

/** The calls of the app to GetBill: to be subscribed to `channels.http`. */
export function recordGetbill(
  { append, inPlace }: StepWriter,
  { mask, apiUrl }: { mask: Mask; apiUrl: URL },
) {
  const pending = new WeakMap<object, Pending>();

  const startHttp = inPlace<HttpExchange>((exchange, place) => {
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
    pending.set(exchange, { place, chain, number, startedMs: performance.now() });
  });

  const apiPath = ({ url }: HttpExchange): string => {
    const { pathname } = new URL(url);
    const base = apiUrl.pathname.replace(/\/$/, '');
    return pathname.startsWith(base) ? pathname.slice(base.length) : pathname;
  };

  function endHttp(exchange: HttpExchange, body: unknown, error: unknown): void {
    const sent = pending.get(exchange);
    if (sent === undefined) return;
    const isStream = body instanceof Readable;
    const isApi = kindOfCall(exchange) === 'api';
    const failure = isStream && !isApi ? 'answer_too_large' : codeOf(error); // tokens are never streamed
    if (isStream && isApi) {
      const finish = (streamError?: unknown): void => endHttp(exchange, undefined, streamError);
      body.once('end', () => finish());
      body.once('error', finish);
      body.once('close', () => finish(new AppError('', { code: 'browser_left', status: 499 })));
      return;
    }
    pending.delete(exchange);
    const { place, chain, number, startedMs } = sent;
    const kind = kindOfCall(exchange);
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

  return {
    ...unread,
    start: startHttp,
    asyncEnd: (exchange: HttpExchange & Settled) =>
      quietly(() =>
        endHttp(
          exchange,
          (exchange.result as { body?: unknown } | undefined)?.body,
          exchange.error,
        ),
      ),
  };
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

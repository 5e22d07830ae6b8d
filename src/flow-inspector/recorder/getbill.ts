import { Readable } from 'node:stream';
import { AppError } from '../../core/errors.js';
import type { HttpExchange } from '../../tracing.js';
import type { Mask } from '../masking.js';
import { kindOfCall, requestMessage, responseMessage, type CallKind } from '../messages.js';
import type { Note } from '../notes.js';
import { chainOf, type Context } from './context.js';
import {
  ignored,
  quietly,
  type RecordResponse,
  type Settled,
  type StepWriter,
} from './step-writer.js';

interface Call {
  readonly kind: CallKind;
  readonly context: Context;
  readonly chain: string;
  readonly respond: RecordResponse;
}

/** The calls of the app to GetBill: to be subscribed to `channels.http`. */
export function recordGetbill(
  { appendRequest, note, inContext }: StepWriter,
  { mask, apiUrl }: { mask: Mask; apiUrl: URL },
) {
  const open = new WeakMap<HttpExchange, Call>();

  const startCall = inContext<HttpExchange>((exchange, context) => {
    const kind = kindOfCall(exchange);
    const { renewal, story } = context;
    if (renewal) renewal.hasCalled = true;
    // nobody waits for it
    const chain = kind === 'revocation' ? story.chainAfterwards : chainOf(context);
    const message = requestMessage(exchange, mask);
    const title = kind === 'api' ? `${exchange.method} ${apiPath(exchange)}` : CALLS[kind];
    const respond = appendRequest(context, {
      chain,
      from: 'app',
      to: 'getbill',
      title,
      topic: kind,
      oauth: kind !== 'api',
      message,
    });
    open.set(exchange, { kind, context, chain, respond });
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
    const { kind, context, chain, respond } = call;
    const bytes = Buffer.isBuffer(body) ? body : undefined;
    const { message, judgement } = responseMessage(exchange, { body: bytes, failure }, mask);
    if (exchange.resent !== undefined) {
      const resent: Note = {
        title: RESENT[exchange.resent],
        topic: 'given_up',
        outcome: 'neutral',
      };
      note(context, resent, chain);
    }
    respond({
      title: judgement.title,
      outcome: judgement.failed ? 'failed' : 'ok',
      topic: kind === 'api' ? 'api_response' : 'token_response',
      message,
    });
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

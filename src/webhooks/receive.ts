import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import type { Emit } from '../events.js';
import type { Endpoint, Refusal } from './endpoint.js';
import { readEnvelope } from './envelope.js';
import { signatureFault } from './signature.js';

const PATH = '/webhooks/getbill';
const MAX_BYTES = 256 * 1024;
/** Anybody can begin a body. Beyond `SMALL_BYTES` only so many are read at once: 16 MiB of memory at most. */
const SMALL_BYTES = 16 * 1024;
const MAX_LARGE = 64;
const TOLERANCE_MS = 300_000;
const RETRY_AFTER_S = 30;

type Refuse = (status: number, text: string, reason: Refusal) => void;

interface ReceiveDeps {
  /** By name. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly now: () => number;
  readonly emit: Emit;
  /** A slower sender is refused. */
  readonly bodyTimeoutMs: number;
}

/**
 * `POST /webhooks/getbill` and `/webhooks/getbill/<name>`: the raw bytes, the signature, the envelope, the inbox, in
 * this order. 200 means stored. Knows no session and no cookie.
 */
export function receiveWebhook(
  { idField, timeField }: { idField: string; timeField: string },
  { endpoints, now, emit, bodyTimeoutMs }: ReceiveDeps,
): (RequestHandler | ErrorRequestHandler)[] {
  const rawBody = express.raw({ type: () => true, limit: MAX_BYTES, inflate: false });
  let large = 0;

  const refusalsOf =
    ({ name }: Endpoint, res: Response): Refuse =>
    (status, text, reason) => {
      emit({ type: 'webhook_refused', endpoint: name, reason });
      respond(res, status, text);
    };

  /** Refuses by the head of a request, then reads its body. */
  function admit(req: Request, res: Response, next: (error?: unknown) => void): void {
    const endpoint = endpoints.get(nameOf(req));
    if (endpoint === undefined) return void respond(res, 404, 'Not found');
    res.locals['route'] = endpoint.name === '' ? PATH : `${PATH}/:endpoint`;
    const refuseUnread: Refuse = (...why) => {
      res.set('Connection', 'close');
      refusalsOf(endpoint, res)(...why);
    };
    if (req.method !== 'POST') return refuseUnread(405, 'Method not allowed', 'method');
    const encoding = req.get('content-encoding');
    if (!req.is('application/json') || (encoding !== undefined && encoding !== 'identity')) {
      return refuseUnread(415, 'Unsupported media type', 'media_type');
    }
    if (Number(req.get('content-length')) > MAX_BYTES)
      return refuseUnread(413, 'Payload too large', 'too_large');
    if (!(Number(req.get('content-length')) <= SMALL_BYTES)) {
      if (large >= MAX_LARGE) {
        res.set('Retry-After', String(RETRY_AFTER_S));
        return refuseUnread(503, 'Service unavailable', 'not_stored');
      }
      large += 1;
      res.once('close', () => (large -= 1));
    }
    const slow = setTimeout(() => refuseUnread(408, 'Request timeout', 'too_slow'), bodyTimeoutMs);
    rawBody(req, res, (error?: unknown) => {
      clearTimeout(slow);
      if (res.headersSent) return;
      if (error === undefined) return next();
      if (error instanceof Error && 'status' in error && error.status === 413) {
        return refuseUnread(413, 'Payload too large', 'too_large');
      }
      refuseUnread(400, 'Bad request', 'cut_off');
    });
  }

  async function receive(req: Request, res: Response): Promise<void> {
    const endpoint = endpoints.get(nameOf(req));
    if (endpoint === undefined) return respond(res, 404, 'Not found');
    const refuse = refusalsOf(endpoint, res);
    const body = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
    const fault = signatureFault(
      body,
      req.headersDistinct['x-getbill-signature'] ?? [],
      endpoint.secrets,
    );
    if (fault !== undefined) return refuse(401, 'Unauthorized', `signature_${fault}`);

    const read = readEnvelope(body, { idField, timeField });
    if (read === undefined) return refuse(400, 'Bad request', 'not_an_event');
    const { event, text, identity, happenedAtMs } = read;
    if (happenedAtMs !== undefined && !(Math.abs(now() - happenedAtMs) <= TOLERANCE_MS)) {
      return refuse(400, 'Bad request', 'too_old');
    }
    try {
      const { type: eventType } = event;
      const outcome = await endpoint.inbox.accept({ identity, type: eventType, body: text });
      if (outcome === 'full') throw new Error('the inbox is full');
      emit({ type: 'webhook_received', endpoint: endpoint.name, eventType, outcome });
    } catch {
      res.set('Retry-After', String(RETRY_AFTER_S));
      return refuse(503, 'Service unavailable', 'not_stored');
    }
    respond(res, 200, 'OK');
    endpoint.wake();
  }

  return [admit, receive];
}

/** The plain path is the endpoint with the empty name. */
const nameOf = (req: Request): string => {
  const { endpoint } = req.params;
  return typeof endpoint === 'string' ? endpoint : '';
};

function respond(res: Response, status: number, text: string): void {
  if (status === 405) res.set('Allow', 'POST');
  res.status(status).type('text/plain').send(text);
}

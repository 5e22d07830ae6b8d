import express, { type Request, type RequestHandler, type Response } from 'express';
import type { Emit } from '../events.js';
import type { Endpoint, Refusal } from './endpoint.js';
import { readEnvelope } from './envelope.js';
import { signatureFault } from './signature.js';

const PATH = '/webhooks/getbill';
const MAX_BYTES = 256 * 1024;
/** Anybody can begin a body: at most `MAX_LARGE` beyond `SMALL_BYTES` at once, 16 MiB in all. */
const SMALL_BYTES = 16 * 1024;
const MAX_LARGE = 64;
const TOLERANCE_MS = 300_000;
const RETRY_AFTER_S = 30;

const RESPONSES: Readonly<Record<Refusal, readonly [status: number, text: string]>> = {
  method: [405, 'Method not allowed'],
  media_type: [415, 'Unsupported media type'],
  too_large: [413, 'Payload too large'],
  too_slow: [408, 'Request timeout'],
  cut_off: [400, 'Bad request'],
  signature_absent: [401, 'Unauthorized'],
  signature_malformed: [401, 'Unauthorized'],
  signature_different: [401, 'Unauthorized'],
  not_an_event: [400, 'Bad request'],
  too_old: [400, 'Bad request'],
  not_stored: [503, 'Service unavailable'],
};

interface ReceiveDeps {
  /** By name. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly now: () => number;
  readonly emit: Emit;
  /** A slower sender is refused. */
  readonly bodyTimeoutMs: number;
}

/**
 * `POST /webhooks/getbill` and `/webhooks/getbill/<name>`: 200 means stored. Knows no session and
 * no cookie. What comes of a refused body is read and dropped: a proxy whose connection is closed
 * while it sends says 502 in place of our response.
 */
export function receiveWebhook(
  { idField, timeField }: { idField: string; timeField: string },
  { endpoints, now, emit, bodyTimeoutMs }: ReceiveDeps,
): RequestHandler {
  const rawBody = express.raw({ type: () => true, limit: MAX_BYTES, inflate: false });
  let large = 0;

  /** The head, the raw bytes, the signature, the envelope, the inbox. `undefined`: stored. */
  async function receive(
    { name, secrets, inbox }: Endpoint,
    req: Request,
    res: Response,
  ): Promise<Refusal | undefined> {
    const headFault = faultOfHead(req);
    if (headFault !== undefined) return headFault;
    if (!takePlace(req, res)) return 'not_stored';
    const body = await readBody(req, res);
    if (!Buffer.isBuffer(body)) return body;
    const fault = signatureFault(body, req.get('x-getbill-signature'), secrets);
    if (fault !== undefined) return `signature_${fault}`;

    const read = readEnvelope(body, { idField, timeField });
    if (read === undefined) return 'not_an_event';
    const { event, text, identity, happenedAtMs = now() } = read;
    if (!(Math.abs(now() - happenedAtMs) <= TOLERANCE_MS)) return 'too_old';
    try {
      const outcome = await inbox.accept({ identity, type: event.type, body: text });
      if (outcome === 'full') return 'not_stored';
      emit({ type: 'webhook_received', endpoint: name, eventType: event.type, outcome });
      return undefined;
    } catch {
      return 'not_stored';
    }
  }

  /** A large body keeps its place until the response has ended. */
  function takePlace(req: Request, res: Response): boolean {
    if (Number(req.get('content-length')) <= SMALL_BYTES) return true;
    if (large >= MAX_LARGE) return false;
    large += 1;
    res.once('close', () => (large -= 1));
    return true;
  }

  function readBody(req: Request, res: Response): Promise<Buffer | Refusal> {
    return new Promise((resolve) => {
      const slow = setTimeout(() => {
        res.set('Connection', 'close');
        resolve('too_slow');
      }, bodyTimeoutMs);
      rawBody(req, res, (error?: unknown) => {
        clearTimeout(slow);
        const isTooLarge = error instanceof Error && 'status' in error && error.status === 413;
        if (error !== undefined) resolve(isTooLarge ? 'too_large' : 'cut_off');
        else resolve(Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0));
      });
    });
  }

  return async function receiveWebhookHandler(req, res) {
    const endpoint = endpoints.get(nameOf(req));
    if (endpoint === undefined) return respond(res, 404, 'Not found');
    const { name } = endpoint;
    res.locals.route = name === '' ? PATH : `${PATH}/:endpoint`;
    const refusal = await receive(endpoint, req, res);
    if (refusal === undefined) {
      respond(res, 200, 'OK');
      return endpoint.wake();
    }
    emit({ type: 'webhook_refused', endpoint: name, reason: refusal });
    if (refusal === 'method') res.set('Allow', 'POST');
    if (refusal === 'not_stored') res.set('Retry-After', String(RETRY_AFTER_S));
    respond(res, ...RESPONSES[refusal]);
  };
}

function faultOfHead(req: Request): Refusal | undefined {
  if (req.method !== 'POST') return 'method';
  const encoding = req.get('content-encoding');
  if (!req.is('application/json') || (encoding !== undefined && encoding !== 'identity'))
    return 'media_type';
  return Number(req.get('content-length')) > MAX_BYTES ? 'too_large' : undefined;
}

/** The plain path is the endpoint with the empty name. */
const nameOf = (req: Request): string => {
  const { endpoint } = req.params;
  return typeof endpoint === 'string' ? endpoint : '';
};

function respond(res: Response, status: number, text: string): void {
  res.status(status).type('text/plain').send(text);
}

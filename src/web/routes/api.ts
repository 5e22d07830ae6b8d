import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { RequestError, UnavailableError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { matchEndpoint, type Endpoint } from '../../getbill/endpoints.js';
import { createCallSlots } from '../../getbill/call-slots.js';
import type { ApiCall, Forward } from '../../getbill/api-call.js';
import { ownerOf, type GrantFacts } from '../../getbill/grant-facts.js';
import { browserLeft } from '../../getbill/unavailable.js';
import { accessOf, type AccessDeps } from '../access.js';
import { addressOf } from '../client-address.js';
import { hasBody } from '../request-kind.js';
import { isJsonText } from '../json-text.js';
import { leftSignal } from '../left-signal.js';

const BODY_LIMIT = 1024 * 1024;
const SMALL_BODY = 16 * 1024;
/** Under way at once: they take memory, and their bytes everybody's time. */
const LARGE_BODIES = {
  total: 128,
  perSession: 2,
  perOwner: 96,
  waitingPerSession: 128,
  maxWaitMs: 10_000,
};
/** For so long a place stays taken after its call, so that requests of others come in between. */
const LARGE_BODY_PAUSE_MS = 100;
const JSON_IN_UTF8 = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i;

/**
 * Reads the body of a write as bytes, up to 1 MiB. Only so many calls with a large one are under
 * way; others wait unread.
 */
export function readBody({
  emit,
  facts,
}: {
  emit: Emit;
  facts: Pick<GrantFacts, 'read'>;
}): RequestHandler {
  const read = express.raw({ type: 'application/json', limit: BODY_LIMIT, inflate: false });
  const slots = createCallSlots({ ...LARGE_BODIES, emit });
  return async function readBodyMiddleware(req, res, next) {
    if (req.method === 'GET' || !hasBody(req)) return next();
    if (Number(req.get('content-length')) <= SMALL_BODY) return read(req, res, next);
    const signal = leftSignal(res);
    const { grantId } = res.locals;
    const { company } = await facts.read(grantId);
    const owner = ownerOf(addressOf(req.ip), company);
    const release = await slots.acquire(grantId, signal, owner);
    if (signal.aborted) return release(); // in the moment in which its turn came
    res.once('close', () => setTimeout(release, LARGE_BODY_PAUSE_MS));
    read(req, res, next);
  };
}

/** `/api/*`: the GetBill API through the allow-list, with the session's token. */
export function callApi({
  forward,
  access,
}: {
  forward: Forward;
  access: AccessDeps;
}): RequestHandler {
  return async function callApiHandler(req, res) {
    const { endpoint, path, query } = targetOf(req);
    if (!res.locals.tokenSet.scopes.includes(endpoint.scope)) throw scopeMissing(endpoint.scope);
    const call: ApiCall = {
      endpoint,
      path,
      query,
      body: endpoint.method === 'GET' ? undefined : await jsonBody(req),
      acceptEncoding: req.get('accept-encoding'),
      requestId: res.locals.requestId,
      caller: 'proxy',
      signal: leftSignal(res),
    };
    const response = await forward(call, accessOf(req, res, access));
    res.status(response.status);
    for (const [name, value] of Object.entries(response.headers)) res.setHeader(name, value);
    if (Buffer.isBuffer(response.body)) sendWhole(res, response.body);
    else await sendStream(res, response.body);
  };
}

function sendWhole(res: Response, body: Buffer): void {
  if (res.statusCode !== 204) res.setHeader('Content-Length', body.length);
  res.end(body);
}

async function sendStream(res: Response, body: Readable): Promise<void> {
  // ours and those of `pipeline` are more than ten, of which Node would warn each time
  res.setMaxListeners(20);
  await pipeline(body, res).catch((error: unknown) => {
    throw error instanceof UnavailableError ? error : browserLeft(error);
  });
}

/**
 * From the request target as it arrived: an absolute form, "//host", or anything encoded matches no
 * endpoint.
 */
function targetOf(req: Request): { endpoint: Endpoint; path: string; query: string } {
  const [target = '', ...rest] = req.originalUrl.split('?');
  const path = target.startsWith('/api/') ? target.slice('/api'.length) : '';
  const match = matchEndpoint(req.method, path);
  if ('endpoint' in match)
    return { endpoint: match.endpoint, path, query: rest.length > 0 ? `?${rest.join('?')}` : '' };
  if (match.allow.length === 0)
    throw new RequestError('no such endpoint', { code: 'not_found', status: 404 });
  throw new RequestError('the endpoint does not accept this method', {
    code: 'method_not_allowed',
    status: 405,
    headers: { Allow: match.allow.join(', ') },
  });
}

/** The bytes as sent, once they are known to be JSON; nothing where nothing was sent. */
async function jsonBody(req: Request): Promise<Buffer | undefined> {
  const type = req.get('content-type');
  const body: unknown = req.body;
  const isMediaTypeWrong = type !== undefined && !JSON_IN_UTF8.test(type);
  if (isMediaTypeWrong || (hasBody(req) && !Buffer.isBuffer(body))) {
    throw new RequestError('the body is not JSON in UTF-8', {
      code: 'media_type_not_supported',
      status: 415,
    });
  }
  if (!Buffer.isBuffer(body) || body.length === 0) return undefined;
  if (await isJsonText(body)) return body;
  throw new RequestError('the body is not valid JSON', { code: 'bad_request', status: 400 });
}

export const scopeMissing = (scope: string): RequestError =>
  new RequestError(`the scope ${scope} was not granted`, {
    code: 'missing_scope',
    status: 403,
    details: { scope },
  });

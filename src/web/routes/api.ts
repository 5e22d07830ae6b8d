import { pipeline } from 'node:stream/promises';
import express, { type Request, type Response, type Router } from 'express';
import { RequestError, UnavailableError } from '../../errors.js';
import { matchEndpoint, type Endpoint } from '../../getbill/endpoints.js';
import type { Forward } from '../../getbill/forward.js';
import { browserLeft } from '../../getbill/unavailable.js';
import { accessOf, type AccessDeps } from '../access.js';
import { createRouter } from '../create-router.js';
import type { CommonHeaders } from '../common-headers.js';

const BODY_LIMIT = 1024 * 1024;
const JSON_IN_UTF8 = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i;

/** `/api/*`: the GetBill API through the allow-list, with the session's token. */
export function apiRoute({
  forward,
  access,
  headers,
}: {
  forward: Forward;
  access: AccessDeps;
  headers: Pick<CommonHeaders, 'listed'>;
}): Router {
  const router = createRouter();
  const readBody = express.raw({ type: 'application/json', limit: BODY_LIMIT, inflate: false });
  router.use((req, res, next) => (req.method === 'GET' ? next() : readBody(req, res, next)));

  router.use(async (req, res) => {
    const { endpoint, path, query } = targetOf(req);
    res.locals.route = `/api${endpoint.path}`;
    if (!res.locals.tokenSet.scopes.includes(endpoint.scope)) throw scopeMissing(endpoint.scope);
    const answer = await forward(
      {
        endpoint,
        path,
        query,
        body: endpoint.method === 'GET' ? undefined : jsonBody(req),
        acceptEncoding: req.get('accept-encoding'),
        requestId: res.locals.requestId,
        caller: 'proxy',
        onLeave: (leave) => (res.destroyed ? leave() : res.once('close', leave)),
      },
      accessOf(req, res, access),
    );
    const head = headers.listed(res);
    for (const [name, value] of Object.entries(answer.headers)) head.push(name, value);
    if (Buffer.isBuffer(answer.body)) return void sendWhole(res, answer.status, head, answer.body);
    res.writeHead(answer.status, head);
    await pipeline(answer.body, res).catch((error: unknown) => {
      throw error instanceof UnavailableError ? error : browserLeft(error);
    });
  });
  return router;
}

function sendWhole(res: Response, status: number, head: string[], body: Buffer): void {
  if (status !== 204 && status !== 304) head.push('Content-Length', String(body.length));
  res.writeHead(status, head);
  res.end(body);
}

/** From the request target as it arrived: an absolute form, "//host", or anything encoded matches no endpoint. */
function targetOf(req: Request): { endpoint: Endpoint; path: string; query: string } {
  const [target = '', ...rest] = req.originalUrl.split('?');
  const path = target.startsWith('/api/') ? target.slice('/api'.length) : '';
  const match = matchEndpoint(req.method, path);
  if ('endpoint' in match)
    return { endpoint: match.endpoint, path, query: rest.length > 0 ? `?${rest.join('?')}` : '' };
  if (match.allow.length === 0) throw new RequestError('no such endpoint', { code: 'not_found', status: 404 });
  throw new RequestError('the endpoint does not accept this method', {
    code: 'method_not_allowed',
    status: 405,
    headers: { Allow: match.allow.join(', ') },
  });
}

/** The bytes as sent, once they are known to be JSON; nothing where nothing was sent. */
function jsonBody(req: Request): Buffer | undefined {
  const type = req.get('content-type');
  const body: unknown = req.body;
  const sent = req.get('transfer-encoding') !== undefined || Number(req.get('content-length') ?? 0) > 0;
  if ((type !== undefined && !JSON_IN_UTF8.test(type)) || (sent && !Buffer.isBuffer(body))) {
    throw new RequestError('the body is not JSON in UTF-8', { code: 'media_type_not_supported', status: 415 });
  }
  if (!Buffer.isBuffer(body) || body.length === 0) return undefined;
  try {
    JSON.parse(body.toString('utf8'));
    return body;
  } catch (cause) {
    throw new RequestError('the body is not valid JSON', { code: 'bad_request', status: 400, cause });
  }
}

const scopeMissing = (scope: string): RequestError =>
  new RequestError(`the scope ${scope} was not granted`, { code: 'missing_scope', status: 403, details: { scope } });

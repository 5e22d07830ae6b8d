import { STATUS_CODES } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';
import type { BrowserMark } from '../../web/session/browser-mark.js';
import { maskedHeaders } from '../masked-headers.js';
import { maskedUrl, type Mask } from '../masking.js';
import type { StepStore } from '../step-store.js';
import type { TopicName } from '../topics.js';
import { onEnd } from './on-end.js';
import { newStory, type Context } from './context.js';
import { byPath, byState, locationOf, recordRedirects } from './redirects.js';
import type { RecordResponse, StepWriter } from './step-writer.js';

const NOT_RECORDED =
  /^\/(flow|assets|healthz|readyz|metrics|demo|webhooks|events\/live|tour\/scenes)(\/|$)/;
const BROWSER_SENDS = [
  'host',
  'accept',
  'content-type',
  'origin',
  'sec-fetch-site',
  'sec-fetch-mode',
  'sec-fetch-dest',
  'cookie',
];
const BROWSER_GETS = [
  'content-type',
  'location',
  'retry-after',
  'cache-control',
  'clear-site-data',
  'set-cookie',
];

interface Exchange {
  readonly req: Request;
  readonly res: Response;
  readonly context: Context;
  readonly respond: RecordResponse;
}

/** Records the browser's requests to the app and to GetBill, and their responses. */
export function recordBrowser(
  writer: StepWriter,
  {
    store,
    mark,
    mask,
    publicUrl,
  }: { store: StepStore; mark: BrowserMark; mask: Mask; publicUrl: URL },
) {
  const { contexts, appendRequest } = writer;
  const redirects = recordRedirects(writer, { store, mask, publicUrl });

  async function openContext(req: Request, res: Response): Promise<Context | undefined> {
    const flow = req.path === '/login' ? mark.readOrSet(req, res) : mark.read(req);
    if (flow === undefined) return undefined;
    const { requestId } = res.locals;
    const url = new URL(req.originalUrl, publicUrl);
    const state = req.path === '/oauth/callback' ? url.searchParams.get('state') : null;
    const next = state === null ? byPath(url) : byState(state);
    const continued = req.method === 'GET' ? await store.takeContinuation(flow, next) : undefined;
    const context: Context = { flow, requestId, story: newStory(continued?.chain) };
    if (continued?.replyTo !== undefined)
      redirects.backFromGetbill(context, url, continued.replyTo);
    return context;
  }

  const targetOf = (url: URL): string => maskedUrl(url, mask, { origin: false });

  function recordRequest(context: Context, req: Request): RecordResponse {
    const target = targetOf(new URL(req.originalUrl, publicUrl));
    return appendRequest(context, {
      from: 'browser',
      to: 'app',
      title: `${req.method} ${pathIn(target)}`,
      topic: topicOfPath(req.path),
      oauth: isOAuthPath(req.path),
      message: {
        start: `${req.method} ${target} HTTP/1.1`,
        headers: maskedHeaders(req.headers, BROWSER_SENDS, mask),
      },
    });
  }

  function recordResponse(
    { req, res, context, respond }: Exchange,
    { hasLeft }: { hasLeft: boolean },
  ): void {
    const { statusCode: status } = res;
    const location = locationOf(res, publicUrl);
    const goesToGetbill =
      location?.searchParams.has('state') === true && location.origin !== publicUrl.origin;
    const line = `${status} ${STATUS_CODES[status] ?? ''}`.trim();
    let where = location === undefined ? '' : `: to ${pathIn(targetOf(location))}`;
    if (goesToGetbill) where = ': to GetBill, with state and challenge';
    respond({
      title: hasLeft ? 'The browser left before the end' : line + where,
      outcome: hasLeft || status >= 400 ? 'failed' : 'ok',
      topic: topicOfPath(req.path),
      message: {
        start: `HTTP/1.1 ${line}`,
        headers: maskedHeaders(res.getHeaders(), BROWSER_GETS, mask),
      },
    });
    if (goesToGetbill) redirects.toGetbill(context, location);
    context.story.isAnswered = true;
  }

  async function middleware(...[req, res, next]: Parameters<RequestHandler>): Promise<void> {
    if (NOT_RECORDED.test(req.path)) return next();
    const context = await openContext(req, res);
    if (context === undefined) return next();
    res.locals['trace'] = `/flow?request=${encodeURIComponent(context.requestId)}#here`;
    const respond = recordRequest(context, req);
    onEnd(res, {
      before: () => redirects.tellNextProcess(context, res),
      react: (hasLeft) => recordResponse({ req, res, context, respond }, { hasLeft }),
    });
    contexts.run(context, next);
  }

  return middleware;
}

const pathIn = (target: string): string => target.split('?')[0] ?? '';

const isOAuthPath = (path: string): boolean => /^\/(login|oauth\/callback|logout)$/.test(path);

function topicOfPath(path: string): TopicName {
  if (path === '/login') return 'login';
  if (path === '/oauth/callback') return 'callback';
  return path === '/logout' ? 'logout' : 'page';
}

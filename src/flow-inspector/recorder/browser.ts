import { STATUS_CODES } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';
import type { BrowserMark } from '../../web/session/browser-mark.js';
import { maskedHeaders } from '../masked-headers.js';
import { maskedUrl, type Mask } from '../masking.js';
import type { StepStore } from '../step-store.js';
import type { TopicName } from '../topics.js';
import { onEnd } from './on-end.js';
import { newStory, type Place } from './place.js';
import { locationOf, recordRedirects } from './redirects.js';
import type { StepWriter } from './step-writer.js';

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

interface Sent {
  readonly number: Promise<number | undefined>;
  readonly startedMs: number;
  readonly left: boolean;
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
  const { places, append } = writer;
  const redirects = recordRedirects(writer, { store, mask, publicUrl });

  async function openPlace(req: Request, res: Response): Promise<Place | undefined> {
    const flow = req.path === '/login' ? mark.readOrSet(req, res) : mark.read(req);
    if (flow === undefined) return undefined;
    const { requestId } = res.locals;
    const url = new URL(req.originalUrl, publicUrl);
    const state = req.path === '/oauth/callback' ? url.searchParams.get('state') : null;
    const spot = state === null ? `path ${req.originalUrl}` : `state ${state}`;
    const continued = req.method === 'GET' ? await store.takeContinuation(flow, spot) : undefined;
    const place: Place = { flow, requestId, story: newStory(continued?.chain) };
    if (continued?.replyTo !== undefined) redirects.backFromGetbill(place, url, continued.replyTo);
    return place;
  }

  function recordRequest(place: Place, req: Request): Promise<number | undefined> {
    const path = maskedUrl(new URL(req.originalUrl, publicUrl), mask, { origin: false });
    return append(place, {
      kind: 'request',
      from: 'browser',
      to: 'app',
      title: `${req.method} ${path.split('?')[0] ?? ''}`,
      topic: topicOfPath(req.path),
      oauth: isOAuthPath(req.path),
      message: {
        start: `${req.method} ${path} HTTP/1.1`,
        headers: maskedHeaders(req.headers, BROWSER_SENDS, mask),
      },
    });
  }

  function recordResponse(place: Place, req: Request, res: Response, sent: Sent): void {
    const { statusCode: status } = res;
    const location = locationOf(res, publicUrl);
    const goesToGetbill =
      location?.searchParams.has('state') === true && location.origin !== publicUrl.origin;
    const line = `${status} ${STATUS_CODES[status] ?? ''}`.trim();
    const where = goesToGetbill
      ? ': to GetBill, with state and challenge'
      : location
        ? `: to ${maskedUrl(location, mask, { origin: false }).split('?')[0] ?? ''}`
        : '';
    void append(
      place,
      {
        kind: 'response',
        from: 'app',
        to: 'browser',
        title: sent.left ? 'The browser left before the end' : line + where,
        outcome: sent.left || status >= 400 ? 'failed' : 'ok',
        topic: topicOfPath(req.path),
        oauth: isOAuthPath(req.path),
        durationMs: performance.now() - sent.startedMs,
        message: {
          start: `HTTP/1.1 ${line}`,
          headers: maskedHeaders(res.getHeaders(), BROWSER_GETS, mask),
        },
      },
      sent.number,
    );
    if (goesToGetbill) redirects.toGetbill(place, location);
    place.story.closed = true;
  }

  async function middleware(...[req, res, next]: Parameters<RequestHandler>): Promise<void> {
    if (NOT_RECORDED.test(req.path)) return next();
    const place = await openPlace(req, res);
    if (place === undefined) return next();
    res.locals['trace'] = `/flow?request=${encodeURIComponent(place.requestId)}#here`;
    const startedMs = performance.now();
    const number = recordRequest(place, req);
    onEnd(res, {
      before: () => redirects.tellNextProcess(place, res),
      react: (left) => recordResponse(place, req, res, { number, startedMs, left }),
    });
    places.run(place, next);
  }

  return middleware;
}

const isOAuthPath = (path: string): boolean => /^\/(login|oauth\/callback|logout)$/.test(path);

function topicOfPath(path: string): TopicName {
  if (path === '/login') return 'login';
  if (path === '/oauth/callback') return 'callback';
  return path === '/logout' ? 'logout' : 'page';
}

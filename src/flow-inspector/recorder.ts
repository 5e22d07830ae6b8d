import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { Readable } from 'node:stream';
import type { Request, RequestHandler, Response } from 'express';
import type { AppEvent } from '../events.js';
import { AppError } from '../core/errors.js';
import { channels, type HttpExchange, type RenewalRun, type StorageCommand } from '../tracing.js';
import type { BrowserMark } from './browser-mark.js';
import { maskedHeaders, maskedUrl, type Mask } from './masking.js';
import { kindOfCall, requestMessage, responseMessage, type CallKind } from './messages.js';
import { noteOf, WHY_RENEWED, type Note } from './notes.js';
import type { Draft } from './step.js';
import { KEY_PREFIX, type StepStore } from './step-store.js';
import { storageStep, type StorageStep } from './storage-steps.js';
import type { TopicName } from './topics.js';

/** Where in which story the code runs now. */
interface Place {
  readonly flow: string;
  readonly requestId: string;
  readonly story: Story;
  /** While a renewal runs. */
  readonly renewal?: { asked: boolean; explained: boolean; leaseAsked: boolean };
}

interface Story {
  readonly chain: string;
  /** The browser has its response: what starts now is told apart, in `afterwards`. */
  closed: boolean;
  afterwards?: string;
}

interface Pending {
  readonly place: Place;
  readonly chain: string;
  readonly number: Promise<number | undefined>;
  readonly startedMs: number;
}

const NOT_RECORDED = /^\/(flow|assets|healthz|readyz|metrics|demo|webhooks|events\/live)(\/|$)/;
const AT_GETBILL_MS = 3_600_000;
const REDIRECT_MS = 10_000;
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

const newChain = (): string => randomBytes(6).toString('base64url');
const newStory = (chain = newChain()): Story => ({ chain, closed: false });
const afterwardsOf = (story: Story): string => (story.afterwards ??= newChain());
const chainOf = ({ story }: Place): string => (story.closed ? afterwardsOf(story) : story.chain);

export interface Recorder {
  /** Before everything else that can respond. */
  readonly middleware: RequestHandler;
  readonly onEvent: (event: AppEvent) => void;
  readonly stop: () => void;
}

/**
 * Writes down what one browser causes: its requests, what they lead to at GetBill and in the storage,
 * and what was decided. It hears of it through the channels of `src/tracing.ts` and the events; the
 * place in the story travels along in an AsyncLocalStorage.
 */
export function createRecorder({
  store,
  mark,
  mask,
  publicUrl,
  apiUrl,
  fingerprint,
}: {
  store: StepStore;
  mark: BrowserMark;
  mask: Mask;
  publicUrl: URL;
  apiUrl: URL;
  fingerprint: (id: string) => string;
}): Recorder {
  const places = new AsyncLocalStorage<Place>();
  const pending = new WeakMap<object, Pending>();

  function append(
    place: Place,
    draft: Partial<Draft> & Pick<Draft, 'kind' | 'from' | 'to' | 'title' | 'topic'>,
    replyTo?: Promise<number | undefined>,
  ): Promise<number | undefined> {
    const { flow, requestId } = place;
    const rest = { outcome: 'neutral' as const, oauth: false, details: [], requestId };
    const chain = draft.chain ?? chainOf(place);
    return store.append(flow, { ...rest, ...draft, chain }, replyTo);
  }

  function note(place: Place, { details = [], ...draft }: Note): void {
    const oauth = !/^(given_up|limit|note|refused|quota)$/.test(draft.topic);
    const chain = draft.topic === 'revocation' ? afterwardsOf(place.story) : chainOf(place);
    void append(place, {
      kind: 'note',
      from: 'app',
      to: 'app',
      oauth,
      ...draft,
      chain,
      details: [...details],
    });
  }

  // ---- the browser

  async function openPlace(req: Request, res: Response): Promise<Place | undefined> {
    const flow = req.path === '/login' ? mark.readOrSet(req, res) : mark.read(req);
    if (flow === undefined) return undefined;
    const { requestId } = res.locals;
    const url = new URL(req.originalUrl, publicUrl);
    const state = req.path === '/oauth/callback' ? url.searchParams.get('state') : null;
    const spot = state === null ? `path ${req.originalUrl}` : `state ${state}`;
    const continued = req.method === 'GET' ? await store.takeContinuation(flow, spot) : undefined;
    const place: Place = { flow, requestId, story: newStory(continued?.chain) };
    if (continued?.replyTo !== undefined) backFromGetbill(place, url, continued.replyTo);
    return place;
  }

  /** The redirect that the browser must have got, since it is here with its parameters. */
  function backFromGetbill(place: Place, url: URL, replyTo: number): void {
    const error = url.searchParams.get('error');
    const failed = error !== null;
    const title = failed ? 'Back to the app with an error' : 'Back to the app with code and state';
    const start = 'HTTP/1.1 302 Found';
    const headers: [string, string][] = [['location', maskedUrl(url, mask)]];
    void append(
      place,
      {
        kind: 'response',
        from: 'getbill',
        to: 'browser',
        title,
        topic: 'authorized',
        oauth: true,
        outcome: failed ? 'failed' : 'ok',
        message: { start, headers },
      },
      Promise.resolve(replyTo),
    );
  }

  /** It went to GetBill with the parameters of our redirect. */
  function toGetbill(place: Place, location: URL): void {
    const start = `GET ${maskedUrl(location, mask, { origin: false })} HTTP/1.1`;
    const message = { start, headers: [['host', location.host]] as [string, string][] };
    const number = append(place, {
      kind: 'request',
      from: 'browser',
      to: 'getbill',
      title: 'Authorization request',
      topic: 'authorize',
      oauth: true,
      message,
    });
    const spot = `state ${location.searchParams.get('state') ?? ''}`;
    const { chain } = place.story;
    void number.then((replyTo) =>
      store.continueAt(place.flow, spot, { chain, replyTo }, AT_GETBILL_MS),
    );
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
    if (goesToGetbill) toGetbill(place, location);
    place.story.closed = true;
  }

  /** Before the browser follows a redirect, which may lead it to another process. */
  function tellNextProcess(place: Place, res: Response): Promise<void> | undefined {
    const location = locationOf(res, publicUrl);
    if (location === undefined) return undefined;
    const { chain } = place.story;
    const state = location.origin === publicUrl.origin ? null : location.searchParams.get('state');
    if (state !== null)
      return store.continueAt(place.flow, `state ${state}`, { chain }, AT_GETBILL_MS);
    return store.continueAt(
      place.flow,
      `path ${location.pathname}${location.search}`,
      { chain },
      REDIRECT_MS,
    );
  }

  async function middleware(...[req, res, next]: Parameters<RequestHandler>): Promise<void> {
    if (NOT_RECORDED.test(req.path)) return next();
    const place = await openPlace(req, res);
    if (place === undefined) return next();
    res.locals['trace'] = `/flow?request=${encodeURIComponent(place.requestId)}#here`;
    const startedMs = performance.now();
    const number = recordRequest(place, req);
    onEnd(res, {
      before: () => tellNextProcess(place, res),
      react: (left) => recordResponse(place, req, res, { number, startedMs, left }),
    });
    places.run(place, next);
  }

  // ---- GetBill

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

  // ---- the storage

  const shown = new WeakMap<object, StorageStep>();

  const startStorage = inPlace<StorageCommand>((command, place) => {
    if (command.key.startsWith(KEY_PREFIX)) return;
    const step = storageStep(command, mask);
    if (step === undefined) return;
    if (command.command === 'setIfAbsent' && place.renewal) {
      if (place.renewal.leaseAsked) return; // who waits asks again and again
      place.renewal.leaseAsked = true;
    }
    shown.set(command, step);
    const { title, topic, line } = step;
    const message = { start: line, headers: [] };
    const chain = chainOf(place);
    const number = append(place, {
      chain,
      kind: 'request',
      from: 'app',
      to: 'redis',
      title,
      topic,
      oauth: true,
      message,
    });
    pending.set(command, { place, chain, number, startedMs: performance.now() });
  });

  function endStorage(command: StorageCommand, result: unknown, error: unknown): void {
    const [sent, step] = [pending.get(command), shown.get(command)];
    if (sent === undefined || step === undefined) return;
    pending.delete(command);
    const { place, chain, number, startedMs } = sent;
    const failed = error !== undefined;
    const title = failed ? 'No response: the storage is away' : step.result(result);
    const durationMs = performance.now() - startedMs;
    const { topic } = step;
    void append(
      place,
      {
        chain,
        kind: 'response',
        from: 'redis',
        to: 'app',
        title,
        topic,
        oauth: true,
        outcome: failed ? 'failed' : 'ok',
        durationMs,
      },
      number,
    );
  }

  // ---- renewals

  /** A renewal before the token ends holds up nobody: it is a story of its own. */
  function placeOfRenewal({ trigger }: RenewalRun): Place | undefined {
    const place = places.getStore();
    if (place === undefined) return undefined;
    const renewal = { asked: false, explained: false, leaseAsked: false };
    return { ...place, renewal, ...(trigger === 'margin' && { story: newStory() }) };
  }

  const startRenewal = inPlace<RenewalRun>(({ grantId, trigger }, place) => {
    const title =
      trigger === 'margin'
        ? 'Renewal in the background'
        : trigger === 'expired'
          ? 'Renewal: the access token had expired'
          : 'Renewal: the API rejected the access token';
    note(place, {
      title,
      topic: 'renewal',
      outcome: 'neutral',
      details: [
        ['because', WHY_RENEWED[trigger]],
        ['grant (keyed hash)', fingerprint(grantId)],
      ],
    });
  });

  const failRenewal = inPlace<RenewalRun & { error?: unknown }>(({ error }, place) => {
    const { renewal } = place;
    if (renewal === undefined || renewal.asked || renewal.explained) return;
    if (!(error instanceof AppError)) return;
    const more = error.retryAfterS === undefined ? '' : ` for ${error.retryAfterS} s more`;
    const why = /paused/.test(error.message) ? `renewals are paused${more}` : error.message + more;
    note(place, {
      title: `Not asked: ${why}`,
      topic: 'pause',
      outcome: 'failed',
      details: [['reason', error.code]],
    });
  });

  /** Runs in the story that the code belongs to. Never throws: that would end the process. */
  function inPlace<Message>(record: (message: Message, place: Place) => void) {
    return (message: Message): void => {
      const place = places.getStore();
      if (place !== undefined) quietly(() => record(message, place));
    };
  }

  const httpReader = {
    ...unread,
    start: startHttp,
    asyncEnd: (message: HttpExchange & Settled) =>
      quietly(() =>
        endHttp(message, (message.result as { body?: unknown } | undefined)?.body, message.error),
      ),
  };
  const storageReader = {
    ...unread,
    start: startStorage,
    asyncEnd: (message: StorageCommand & Settled) =>
      quietly(() => endStorage(message, message.result, message.error)),
  };
  const renewalReader = { ...unread, start: startRenewal, error: failRenewal };
  channels.http.subscribe(httpReader);
  channels.storage.subscribe(storageReader);
  channels.renewal.start.bindStore(places, placeOfRenewal);
  channels.renewal.subscribe(renewalReader);

  return {
    middleware: (req, res, next) => void middleware(req, res, next).catch(next),
    onEvent(event) {
      const place = places.getStore();
      if (place === undefined) return;
      const found = noteOf(event);
      if (found === undefined) return;
      if (place.renewal && /^refresh_(failed|waited)$/.test(event.type))
        place.renewal.explained = true;
      note(place, found);
    },
    stop() {
      channels.http.unsubscribe(httpReader);
      channels.storage.unsubscribe(storageReader);
      channels.renewal.start.unbindStore(places);
      channels.renewal.unsubscribe(renewalReader);
    },
  };
}

/** How a traced operation ended. */
interface Settled {
  readonly result?: unknown;
  readonly error?: unknown;
}

interface Sent {
  readonly number: Promise<number | undefined>;
  readonly startedMs: number;
  readonly left: boolean;
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

const ignore = (): void => undefined;
const unread = { start: ignore, end: ignore, asyncStart: ignore, asyncEnd: ignore, error: ignore };

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // a step is lost, no request
  }
}

/** Calls `react` once: when the response has been handed over, or when the browser left. */
function onEnd(
  res: Response,
  { before, react }: { before: () => Promise<void> | undefined; react: (left: boolean) => void },
): void {
  let isDone = false;
  const once = (left: boolean): void => {
    if (isDone) return;
    isDone = true;
    quietly(() => react(left));
  };
  const end = res.end.bind(res) as (...args: unknown[]) => Response;
  res.end = ((...args: unknown[]) => {
    const finish = (): void => {
      end(...args); // the cookie of the session is set in here
      once(false);
    };
    const ready = before();
    if (ready === undefined) finish();
    else void ready.then(finish, finish);
    return res;
  }) as Response['end'];
  res.once('close', () => once(!res.writableFinished));
}

function locationOf(res: Response, publicUrl: URL): URL | undefined {
  const location = res.getHeader('location');
  if (typeof location !== 'string' || !URL.canParse(location, publicUrl.href)) return undefined;
  return new URL(location, publicUrl);
}

const isOAuthPath = (path: string): boolean => /^\/(login|oauth\/callback|logout)$/.test(path);

function topicOfPath(path: string): TopicName {
  if (path === '/login') return 'login';
  if (path === '/oauth/callback') return 'callback';
  return path === '/logout' ? 'logout' : 'page';
}

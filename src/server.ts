import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { inTurns } from './in-turns.js';
import { oneAtATime } from './one-at-a-time.js';
import { untilAccepted } from './until-accepted.js';

/** Connections beyond these are closed at once: each costs a file descriptor and 20 to 50 KB. */
const MAX_CONNECTIONS = 4_096;

/** More than a proxy lets through. */
const MAX_HEADERS = 200;

/** How long a client may take nothing: the kernel takes megabytes, then nothing for a minute. */
const STALLED_READER_MS = 120_000;

export interface HttpServer {
  listen(options: { host: string; port: number }): Promise<{ port: number }>;
  /**
   * From now on every response says `Connection: close`, so that clients go to another process.
   * Those under way emit `stopping`: a stream without an end ends then.
   */
  announceStop(): void;
  /**
   * Accepts the connections that wait and no other, waits for the responses under way, and closes
   * all connections, within `withinMs`. Resolves to the number of responses that were cut off.
   */
  drain(options: { withinMs: number }): Promise<number>;
}

/** Node's HTTP server with a bound on everything that one client can hold. */
export function createHttpServer(
  app: RequestListener,
  {
    keepAliveMs,
    stalledReaderMs = STALLED_READER_MS,
    maxConnections = MAX_CONNECTIONS,
  }: { keepAliveMs: number; stalledReaderMs?: number; maxConnections?: number },
): HttpServer {
  const underWay = createResponsesUnderWay();
  const server = createServer(
    {
      headersTimeout: 10_000, // then 408
      requestTimeout: 25_000, // head and body; then 408
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: keepAliveMs,
      maxHeaderSize: 16_384, // then 431
    },
    refuseTooManyHeaders(oneAtATime(underWay.track(inTurns(app)))),
  );
  server.maxConnections = maxConnections;
  server.maxHeadersCount = MAX_HEADERS;
  cutStalledReaders(server, underWay, stalledReaderMs);

  return {
    async listen({ host, port }) {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(port, host, resolve);
      });
      return { port: (server.address() as AddressInfo).port }; // the real one, also for port 0
    },
    announceStop() {
      underWay.announceStop();
    },
    async drain({ withinMs }) {
      const allSent = new AbortController();
      const deadline = delay(withinMs, undefined, { signal: allSent.signal }).catch(
        () => undefined,
      );
      await Promise.race([untilAccepted(server), deadline]);
      server.close();
      await Promise.race([underWay.untilNone(), deadline]);
      allSent.abort();
      const cutOff = underWay.count();
      // also those without a request: kept alive, or opened ahead by a browser
      server.closeAllConnections();
      return cutOff;
    },
  };
}

/**
 * With 431: Node drops headers past `maxHeadersCount` without a word, those of a proxy among them.
 */
function refuseTooManyHeaders(handle: RequestListener): RequestListener {
  return (req, res) => {
    if (req.rawHeaders.length <= 2 * MAX_HEADERS) handle(req, res);
    else res.writeHead(431, { Connection: 'close', 'Content-Length': 0 }).end();
  };
}

interface ResponsesUnderWay {
  track(handle: RequestListener): RequestListener;
  has(socket: Socket): boolean;
  count(): number;
  announceStop(): void;
  untilNone(): Promise<void>;
}

/** The response of each connection that has begun and is not finished. */
function createResponsesUnderWay(): ResponsesUnderWay {
  const underWay = new Map<Socket, ServerResponse>();
  const waiting: (() => void)[] = [];
  let isStopping = false;
  return {
    track: (handle) => (req, res) => {
      const { socket } = req;
      underWay.set(socket, res);
      res.once('close', () => {
        // else the next one of the connection has begun
        if (underWay.get(socket) === res) underWay.delete(socket);
        if (underWay.size === 0) for (const resolve of waiting.splice(0)) resolve();
      });
      if (isStopping) res.setHeader('Connection', 'close');
      handle(req, res);
    },
    has: (socket) => underWay.has(socket),
    count: () => underWay.size,
    announceStop() {
      isStopping = true;
      for (const res of underWay.values()) {
        if (!res.headersSent) res.setHeader('Connection', 'close');
        res.emit('stopping');
      }
    },
    untilNone: () =>
      new Promise((resolve) => {
        if (underWay.size === 0) resolve();
        else waiting.push(resolve);
      }),
  };
}

/**
 * Node reports a socket on which nothing was received and no byte of a write was taken for
 * `stalledReaderMs`. It stays open only while its response is still being made, which is bounded by
 * the deadlines of the calls behind it.
 */
function cutStalledReaders(
  server: Server,
  underWay: ResponsesUnderWay,
  stalledReaderMs: number,
): void {
  server.timeout = stalledReaderMs;
  server.on('timeout', (socket: Socket) => {
    const isBeingMade = underWay.has(socket) && socket.writableLength === 0;
    if (!isBeingMade) socket.destroy();
  });
}

import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Received {
  method: string;
  url: string;
  rawHeaders: string[];
  body: Buffer;
  /** The connection that carried it has ended; resolves with the moment (`performance.now()`). */
  connectionEnded: Promise<number>;
}

type Answering = (res: ServerResponse, received: Received) => void;

/** An upstream of the test's own, for what the sandbox's faults cannot do; or a host that must never be called. */
export interface ApiServer {
  origin: string;
  /** For `GETBILL_API_URL`. */
  apiUrl: string;
  received: Received[];
  answerWith(answering: Answering): void;
  /** Resolves when as many requests have arrived in all. */
  arrived(count: number): Promise<void>;
  /** Resolves when every connection that carried a request has ended. */
  callsEnded(): Promise<void>;
  /** Resolves when no connection is open at all: undici opens a fresh one after an abort, and keeps it for some seconds. */
  allEnded(): Promise<void>;
  close(): Promise<void>;
}

export const EMPTY_SUCCESS = '{"error":false,"message":"Success","data":{}}';

export async function startApiServer(): Promise<ApiServer> {
  const sockets = new Map<Socket, Promise<number>>();
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => waiting.forEach((check) => check());
  let answering: Answering = (res) => void json(res, 200, EMPTY_SUCCESS);

  const server = createServer((req, res) => void serve(req, res));
  server.on('connection', (socket) => {
    socket.on('error', () => undefined);
    const ended = new Promise<number>((resolve) => {
      socket.once('close', () => {
        sockets.delete(socket);
        wake();
        resolve(performance.now());
      });
    });
    sockets.set(socket, ended);
  });

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const connectionEnded = sockets.get(req.socket) ?? Promise.resolve(performance.now());
    const chunks: Buffer[] = [];
    for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = '', url = '', rawHeaders } = req;
    const one = { method, url, rawHeaders, body: Buffer.concat(chunks), connectionEnded };
    received.push(one);
    wake();
    answering(res, one);
  }

  async function when(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        const check = (): void => {
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
      });
    }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    apiUrl: `${origin}/external-api/v1`,
    received,
    answerWith: (next) => void (answering = next),
    arrived: (count) => when(() => received.length >= count),
    callsEnded: async () =>
      void (await Promise.all(received.map(({ connectionEnded }) => connectionEnded))),
    allEnded: () => when(() => sockets.size === 0),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One whole JSON answer. */
export function json(
  res: ServerResponse,
  status: number,
  body: string | Buffer,
  headers: OutgoingHttpHeaders = {},
): void {
  res.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  res.end(body);
}

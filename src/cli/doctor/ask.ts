import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Upstream } from '../../getbill/upstream.js';

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** At most its first 64 KB. */
  readonly text: string;
  /** Epoch milliseconds, by this machine's clock: the middle between request and response. */
  readonly atMs: number;
}

const LIMIT = 64 * 1024;

/** With a body a POST, else a GET. */
export interface AskOptions {
  readonly headers?: Record<string, string>;
  readonly form?: Record<string, string>;
  /** A body as it is. */
  readonly json?: string;
}

/** Sends one request and follows no redirect. @throws {UnavailableError} no response. */
export type Ask = (url: URL, options?: AskOptions) => Promise<HttpResponse>;

export function createAsk({
  upstream,
  timeoutMs,
  now,
}: {
  upstream: Pick<Upstream, 'open'>;
  timeoutMs: number;
  now: () => number;
}): Ask {
  return async function ask(url, { headers, form, json } = {}) {
    const sentAtMs = now();
    const response = await upstream.open(url, {
      method: form === undefined && json === undefined ? 'GET' : 'POST',
      headers: {
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...headers,
      },
      body: json ?? (form && new URLSearchParams(form).toString()),
      timeoutMs,
    });
    const atMs = (sentAtMs + now()) / 2;
    const { status, headers: received, body } = response;
    return { status, headers: received, text: await beginningOf(body), atMs };
  };
}

async function beginningOf(body: Buffer | Readable): Promise<string> {
  if (Buffer.isBuffer(body)) return body.toString('utf8');
  let text = '';
  for await (const chunk of body as AsyncIterable<Buffer>) {
    text += chunk.toString('utf8');
    if (text.length > LIMIT) break;
  }
  return text.slice(0, LIMIT);
}

/** Where a redirect leads, made absolute; `undefined` for any other response. */
export function redirectOf({ status, headers }: HttpResponse, asked: URL): URL | undefined {
  const { location } = headers;
  if (status < 300 || status > 399 || location === undefined || !URL.canParse(location, asked.href))
    return undefined;
  return new URL(location, asked);
}

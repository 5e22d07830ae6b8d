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

/** One request, no redirect followed. @throws {UnavailableError} no response. */
export async function ask(
  upstream: Pick<Upstream, 'open'>,
  url: URL,
  {
    timeoutMs,
    now,
    headers = {},
    form,
    json,
  }: {
    timeoutMs: number;
    now: () => number;
    headers?: Record<string, string>;
    form?: Record<string, string>;
    /** A body as it is. */
    json?: string;
  },
): Promise<HttpResponse> {
  const sentAtMs = now();
  const {
    status,
    headers: responseHeaders,
    body,
  } = await upstream.open(url, {
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
  return { status, headers: responseHeaders, text: await beginningOf(body), atMs };
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

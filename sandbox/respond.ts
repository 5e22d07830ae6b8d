import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

const firewallPage = `<!doctype html>
<html lang="en"><head><title>Attention required</title></head>
<body><h1>Attention required</h1><p>This is not the answer you were looking for.</p></body></html>
`;

/** One whole response, length included. Headers set before are kept. */
export function respond(
  res: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body: string | Buffer = '',
): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  res.writeHead(status, { ...headers, 'content-length': bytes.length });
  res.end(bytes);
}

/** Text as it is, anything else as JSON, nothing for undefined. */
export function respondWith(
  res: ServerResponse,
  {
    status,
    body,
    contentType,
    retryAfterS,
  }: {
    status: number;
    body?: unknown;
    contentType?: string | undefined;
    retryAfterS?: number | undefined;
  },
): void {
  const usualType = typeof body === 'string' ? 'text/plain' : 'application/json';
  const type = contentType ?? (body === undefined ? undefined : usualType);
  const headers = {
    ...(retryAfterS !== undefined && { 'retry-after': String(retryAfterS) }),
    ...(type && { 'content-type': type }),
  };
  respond(res, status, headers, typeof body === 'string' ? body : JSON.stringify(body));
}

/** The page of a firewall, where JSON was expected. */
export const respondWithPage = (res: ServerResponse, status = 200): void =>
  respond(res, status, { 'content-type': 'text/html; charset=utf-8' }, firewallPage);

/** Ends the connection without a response. */
export const dropConnection = (res: ServerResponse): void => void res.socket?.destroy();

import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

export const firewallPage = `<!doctype html>
<html lang="en"><head><title>Attention required</title></head>
<body><h1>Attention required</h1><p>This is not the answer you were looking for.</p></body></html>
`;

/** One whole answer, length included. Headers set before are kept. */
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
    headers = {},
  }: {
    status: number;
    body?: unknown;
    contentType?: string | undefined;
    headers?: OutgoingHttpHeaders;
  },
): void {
  if (body === undefined)
    return respond(res, status, {
      ...headers,
      ...(contentType && { 'content-type': contentType }),
    });
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  respond(
    res,
    status,
    {
      ...headers,
      'content-type': contentType ?? (typeof body === 'string' ? 'text/plain' : 'application/json'),
    },
    text,
  );
}

/** Ends the connection without an answer. */
export const dropConnection = (res: ServerResponse): void => void res.socket?.destroy();

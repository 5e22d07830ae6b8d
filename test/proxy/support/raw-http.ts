import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface RawAnswer {
  /** Of the last answer on the connection: an interim "100 Continue" is passed over. */
  status: number;
  /** Names in lower case; repeated ones joined. */
  headers: Map<string, string>;
  body: string;
}

/** A request as bytes: what a client library would tidy stays untidy. */
export function rawRequest(
  method: string,
  target: string,
  headers: readonly string[] = [],
  body: string | Buffer = '',
): Buffer {
  const head = [`${method} ${target} HTTP/1.1`, ...headers, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body)]);
}

/** With an https origin the authority has to be given whose certificate it shows. */
export function openSocket(origin: string, ca?: string): Socket {
  const { hostname, port } = new URL(origin);
  const socket = ca === undefined ? connect(Number(port), hostname) : connectTls({ host: hostname, port: Number(port), ca }); // prettier-ignore
  socket.on('error', () => undefined);
  return socket;
}

/** Sends and reads until the server closes: the request should say `Connection: close`, unless it is refused. */
export async function exchange(origin: string, bytes: Buffer, ca?: string): Promise<RawAnswer> {
  const socket = openSocket(origin, ca);
  socket.write(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  return parse(Buffer.concat(chunks).toString('latin1'));
}

function parse(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1] ?? NaN);
  const body = rest.join('\r\n\r\n');
  if (status === 100) return parse(body);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]+):\s*(.*)$/.exec(line) ?? [];
    const earlier = headers.get(name.toLowerCase());
    headers.set(name.toLowerCase(), earlier === undefined ? value : `${earlier}, ${value}`);
  }
  return { status, headers, body };
}

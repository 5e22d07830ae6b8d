import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer } from 'node:tls';

export interface TlsProxy {
  origin: string;
  close(): void;
}

const OURS = /^x-forwarded-[\w-]*:.*\r\n/gim;

/** The head of a connection's first request with the proxy's own forwarding headers; the rest byte for byte. */
function forwarded(head: string, address: string): string {
  const lineEnd = head.indexOf('\n') + 1;
  const added = `X-Forwarded-Proto: https\r\nX-Forwarded-For: ${address}\r\n`;
  return lineEnd === 0
    ? head
    : head.slice(0, lineEnd) + added + head.slice(lineEnd).replaceAll(OURS, '');
}

/** Ends TLS in front of the app and tidies nothing but the forwarding headers, which visitors must not choose. */
export async function startTlsProxy({
  key,
  cert,
  to,
}: {
  key: Buffer;
  cert: Buffer;
  to: string;
}): Promise<TlsProxy> {
  const app = new URL(to);
  const sockets = new Set<Socket>();
  const server = createServer({ key, cert }, (visitor) => {
    const inner = connect(Number(app.port), app.hostname);
    for (const socket of [visitor, inner]) {
      sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    }
    visitor.once('data', (first: Buffer) => {
      inner.write(
        Buffer.from(forwarded(first.toString('latin1'), visitor.remoteAddress ?? ''), 'latin1'),
      );
      visitor.pipe(inner);
    });
    inner.pipe(visitor);
    inner.once('close', () => visitor.end());
    visitor.once('close', () => inner.destroy());
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

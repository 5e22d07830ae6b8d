import { once } from 'node:events';
import { request } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificate } from './certificates.js';

/** A TLS server that passes everything on to the sandbox. */
export interface TlsFront {
  origin: string;
  /** What got as far as a request. */
  requests(): number;
  close(): void;
}

export async function startTlsFront(
  { key, cert }: Certificate,
  { to, ...options }: { to: string } & Pick<ServerOptions, 'maxVersion'>,
): Promise<TlsFront> {
  let requests = 0;
  const server = createServer({ key, cert, ...options }, (req, res) => {
    requests += 1;
    const inner = request(
      new URL(req.url ?? '/', to),
      { method: req.method, headers: req.headers },
      (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(res);
      },
    );
    inner.on('error', () => res.destroy());
    req.pipe(inner);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

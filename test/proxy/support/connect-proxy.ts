import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface ConnectProxy {
  /** With a user and password, as it is written in `HTTPS_PROXY`. */
  url: string;
  /** What it was asked for: the authority of every CONNECT, and the target of anything else. */
  asked: string[];
  /** What it does with a CONNECT from now on. */
  does(behaviour: 'tunnel' | 'refuse' | 'hang'): void;
  close(): Promise<void>;
}

/** A forward proxy as companies have one: CONNECT only, with a password. */
export async function startConnectProxy(): Promise<ConnectProxy> {
  const asked: string[] = [];
  const sockets = new Set<Duplex>();
  let behaviour: 'tunnel' | 'refuse' | 'hang' = 'tunnel';
  const credentials = `Basic ${Buffer.from('staff:let me in').toString('base64')}`;

  function tunnel(req: IncomingMessage, client: Duplex, head: Buffer): void {
    asked.push(req.url ?? '');
    sockets.add(client);
    client.on('error', () => undefined).once('close', () => sockets.delete(client));
    if (behaviour === 'hang') return;
    if (req.headers['proxy-authorization'] !== credentials) {
      return void client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    }
    if (behaviour === 'refuse') return void client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const { hostname, port } = new URL(`http://${req.url ?? ''}`);
    const target: Socket = connect(Number(port), hostname === 'localhost' ? '127.0.0.1' : hostname);
    target.on('error', () => client.destroy()).once('close', () => client.destroy());
    client.once('close', () => target.destroy());
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    target.write(head);
    client.pipe(target).pipe(client);
  }

  const server = createServer((req, res) => {
    asked.push(req.url ?? '');
    res.writeHead(405).end();
  });
  server.on('connect', tunnel);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://staff:let%20me%20in@127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    does: (next) => void (behaviour = next),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

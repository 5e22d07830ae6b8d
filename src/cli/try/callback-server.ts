import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '../../errors.js';

/** The place to which GetBill sends the browser back. */
export interface Callback {
  readonly redirectUri: string;
  /** The query of the first callback, as it came. */
  response(): Promise<URLSearchParams>;
  close(): void;
}

const PAGE =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>GetBill Connect</title>' +
  '<h1>Back to the terminal</h1><p>It says what became of the sign-in. You can close this tab.</p>';
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
export const isLocal = ({ protocol, hostname }: URL): boolean =>
  protocol === 'http:' && LOOPBACK.has(hostname);

/**
 * Listens at the redirect URI for one callback. When its port is taken, as it is while the demo
 * runs, `register` tells a sandbox of ours about a redirect URI with another port.
 * @throws {ConfigError} the port is taken, or may not be used.
 */
export async function listenForCallback(
  redirectUri: string,
  { register }: { register: (redirectUri: string) => Promise<boolean> },
): Promise<Callback> {
  const url = new URL(redirectUri);
  const server = createServer();
  const first = callbackOf(server, url.pathname);
  const response = () => first;
  const wanted = Number(url.port || 80);
  const code = await listen(server, url, wanted);
  if (code === undefined) return { redirectUri, response, close: () => closeNow(server) };
  if (code === 'EADDRINUSE' && (await listen(server, url, 0)) === undefined) {
    const other = new URL(redirectUri);
    other.port = String((server.address() as AddressInfo).port);
    if (await register(other.href))
      return { redirectUri: other.href, response, close: () => closeNow(server) };
    closeNow(server);
  }
  const reason = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${code})`;
  throw new ConfigError([
    `port ${wanted} of the redirect URI ${redirectUri} ${reason}; stop the app that runs there while you try`,
  ]);
}

/** `undefined`, or the code of the error. */
async function listen(
  server: Server,
  { hostname }: URL,
  port: number,
): Promise<string | undefined> {
  try {
    server.listen(port, hostname.replaceAll(/[[\]]/g, ''));
    await once(server, 'listening');
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

function callbackOf(server: Server, pathname: string): Promise<URLSearchParams> {
  return new Promise((resolve) => {
    server.on('request', (req, res) => {
      const [path, ...query] = (req.url ?? '').split('?'); // a "?" may stand in the query too
      const isCallback = req.method === 'GET' && path === pathname;
      res.writeHead(isCallback ? 200 : 404, { ...HEADERS, connection: 'close' });
      res.end(isCallback ? PAGE : '');
      if (isCallback) res.once('close', () => resolve(new URLSearchParams(query.join('?'))));
    });
  });
}

function closeNow(server: Server): void {
  server.close();
  server.closeAllConnections();
}

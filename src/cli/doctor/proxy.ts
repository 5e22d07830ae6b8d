import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { portOf, type ProxyInUse } from '../../getbill/proxy.js';

/**
 * A connection through the proxy (RFC 9110 section 9.3.6).
 * @throws {ProxyError}
 */
export async function connectThrough(
  proxy: ProxyInUse,
  target: URL,
  timeoutMs: number,
): Promise<Socket> {
  const { url } = proxy;
  const authority = `${target.hostname}:${portOf(target)}`;
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const connecting = (url.protocol === 'https:' ? httpsRequest : httpRequest)({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: portOf(url),
    method: 'CONNECT',
    path: authority,
    headers: {
      host: authority,
      ...(credentials !== ':' && {
        'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}`,
      }),
    },
  });
  connecting.setTimeout(timeoutMs, () =>
    connecting.destroy(Object.assign(new Error('no response'), { code: 'ETIMEDOUT' })),
  );
  connecting.end();
  try {
    const [{ statusCode = 0 }, socket] = (await once(connecting, 'connect')) as [
      IncomingMessage,
      Socket,
    ];
    if (statusCode >= 200 && statusCode < 300) {
      socket.setTimeout(0);
      return socket;
    }
    socket.destroy();
    throw new ProxyError(proxy, { status: statusCode });
  } catch (error) {
    throw error instanceof ProxyError ? error : new ProxyError(proxy, { cause: error });
  }
}

/** The proxy itself cannot be reached, or refuses the way (`status`). */
export class ProxyError extends Error {
  readonly proxy: ProxyInUse;
  readonly status: number | undefined;

  constructor(
    proxy: ProxyInUse,
    { status, cause }: { status?: number | undefined; cause?: unknown },
  ) {
    super('no way through the proxy', { cause });
    this.proxy = proxy;
    this.status = status;
  }
}

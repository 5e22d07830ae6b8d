import { readFileSync } from 'node:fs';
import { connect, type ConnectionOptions, type DetailedPeerCertificate } from 'node:tls';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import type { ProxyConfig } from '../../config/config.js';
import { proxyFor } from '../../getbill/proxy.js';
import { connectThrough } from './proxy.js';

export interface TlsSight {
  readonly certificate: DetailedPeerCertificate;
  /** Why the certificate would be refused, as Node's code; `undefined` when it is trusted. */
  readonly refusedAs: string | undefined;
}

interface Way {
  readonly timeoutMs: number;
  readonly proxy: ProxyConfig;
}

/**
 * A handshake that looks at any certificate and sends nothing.
 * @throws no connection, or no TLS there.
 */
export async function lookAtTls(
  url: URL,
  { caFile, timeoutMs, proxy }: Way & { caFile: string | undefined },
): Promise<TlsSight> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const through = proxyFor(url, proxy);
  const options: ConnectionOptions = {
    ...(through === undefined
      ? { host, port: Number(url.port) || 443, ...patient(timeoutMs) }
      : { socket: await connectThrough(through, url, timeoutMs) }),
    ...(isIP(host) === 0 && { servername: host }),
    ...(caFile !== undefined && { ca: readFileSync(caFile) }),
    rejectUnauthorized: false, // to see what is wrong with it; nothing is sent over this connection
  };
  return within(timeoutMs, (done) => {
    const socket = connect(options, () => {
      // the code as text, or an error that has it
      const error = socket.authorizationError as unknown;
      const refusedAs =
        error instanceof Error ? (error as NodeJS.ErrnoException).code : (error as string | null);
      done({ certificate: socket.getPeerCertificate(true), refusedAs: refusedAs ?? undefined });
    });
    return socket;
  });
}

/** @throws nobody listens there. */
export async function lookAtPort(url: URL, { timeoutMs, proxy }: Way): Promise<void> {
  const through = proxyFor(url, proxy);
  if (through !== undefined) {
    (await connectThrough(through, url, timeoutMs)).destroy();
    return;
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const address = { host, port: Number(url.port) || 80, ...patient(timeoutMs) };
  await within(timeoutMs, (done) => connectPlain(address, () => done(undefined)));
}

/** As in `createAgent`: a slow address of a name is not given up for an unreachable one. */
const patient = (timeoutMs: number) => ({
  autoSelectFamilyAttemptTimeout: Math.ceil(timeoutMs / 2),
});

function within<T>(timeoutMs: number, open: (done: (value: T) => void) => Socket): Promise<T> {
  return new Promise((resolve, reject) => {
    const socket = open((value) => {
      resolve(value);
      socket.destroy();
    });
    socket.once('error', reject);
    socket.setTimeout(timeoutMs, () => {
      reject(Object.assign(new Error('no response'), { code: 'ETIMEDOUT' }));
      socket.destroy();
    });
  });
}

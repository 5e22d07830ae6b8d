import { readFileSync } from 'node:fs';
import { connect, type ConnectionOptions, type DetailedPeerCertificate } from 'node:tls';
import { connect as connectPlain, isIP, type Socket } from 'node:net';

export interface TlsSight {
  readonly certificate: DetailedPeerCertificate;
  /** Why the certificate would be refused, as Node's code; `undefined` when it is trusted. */
  readonly refusedAs: string | undefined;
}

/** A handshake that looks at any certificate and sends nothing. @throws no connection, or no TLS there. */
export function lookAtTls(
  url: URL,
  { caFile, timeoutMs }: { caFile: string | undefined; timeoutMs: number },
): Promise<TlsSight> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const options: ConnectionOptions = {
    host,
    port: Number(url.port) || 443,
    ...(isIP(host) === 0 && { servername: host }),
    ...(caFile !== undefined && { ca: readFileSync(caFile) }),
    rejectUnauthorized: false, // to see what is wrong with it; nothing is sent over this connection
  };
  return within(timeoutMs, (done) => {
    const socket = connect(options, () => {
      const error = socket.authorizationError as unknown; // the code as text, or an error that has it
      const refusedAs = error instanceof Error ? (error as NodeJS.ErrnoException).code : (error as string | null);
      done({ certificate: socket.getPeerCertificate(true), refusedAs: refusedAs ?? undefined });
    });
    return socket;
  });
}

/** @throws nobody listens there. */
export function lookAtPort(url: URL, { timeoutMs }: { timeoutMs: number }): Promise<void> {
  const address = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || 80 };
  return within(timeoutMs, (done) => connectPlain(address, () => done(undefined)));
}

function within<T>(timeoutMs: number, open: (done: (value: T) => void) => Socket): Promise<T> {
  return new Promise((resolve, reject) => {
    const socket = open((value) => {
      resolve(value);
      socket.destroy();
    });
    socket.once('error', reject);
    socket.setTimeout(timeoutMs, () => {
      reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }));
      socket.destroy();
    });
  });
}

import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificate } from '../../security/support/certificates.js';

/** What a proxy can get wrong; all of it can be changed while it runs. */
export interface ProxySettings {
  proto: 'set' | 'missing' | 'from the visitor';
  host: 'kept' | 'changed';
  /** Passed on to the app, and to the browser. */
  cookies: boolean;
  setCookies: 'kept' | 'dropped' | 'with a domain';
}

const RIGHT: ProxySettings = { proto: 'set', host: 'kept', cookies: true, setCookies: 'kept' };

export interface TlsProxy {
  origin: string;
  settings: ProxySettings;
  /** Where the app really listens. */
  leadTo: (origin: string) => void;
  repair: () => void;
  close: () => void;
}

/** The TLS-terminating proxy that stands in front of a deployment. */
export async function startTlsProxy({ key, cert }: Certificate): Promise<TlsProxy> {
  let target = '';
  const settings = { ...RIGHT };
  const server = createServer({ key, cert }, (req, res) => {
    const options = { method: req.method, headers: toApp(req.headers, settings) };
    const inner = request(new URL(req.url ?? '/', target), options, (answer) => {
      res.writeHead(answer.statusCode ?? 502, toBrowser(answer.headers, settings));
      answer.pipe(res);
    });
    inner.on('error', () => res.writeHead(502).end());
    req.pipe(inner);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    settings,
    leadTo: (origin) => void (target = origin),
    repair: () => void Object.assign(settings, RIGHT),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function toApp(
  headers: IncomingHttpHeaders,
  { proto, host, cookies }: ProxySettings,
): OutgoingHttpHeaders {
  const passed: OutgoingHttpHeaders = { ...headers, 'x-forwarded-for': '203.0.113.7' };
  if (proto === 'set') passed['x-forwarded-proto'] = 'https';
  if (proto === 'from the visitor') passed['x-forwarded-proto'] ??= 'https';
  if (host === 'changed') passed['host'] = 'app.internal';
  if (!cookies) delete passed['cookie'];
  return passed;
}

function toBrowser(
  headers: IncomingHttpHeaders,
  { setCookies }: ProxySettings,
): IncomingHttpHeaders {
  const { 'set-cookie': lines, ...others } = headers;
  if (lines === undefined || setCookies === 'dropped') return others;
  return {
    ...others,
    'set-cookie': lines.map((line) => (setCookies === 'kept' ? line : `${line}; Domain=localhost`)),
  };
}

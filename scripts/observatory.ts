// `npm run observatory`: the grade that the Mozilla HTTP Observatory gives the app in production,
// behind TLS, on this machine.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startInstallation } from '../test/process/support/installation.js';
import { createAuthority } from '../test/security/support/certificates.js';
import { startTlsProxy } from '../test/support/tls-proxy.js';
import { folderOfTool } from './support/foreign-tool.js';

interface Scan {
  scan: { grade: string; score: number; testsPassed: number; testsQuantity: number };
  tests: Record<string, { result: string; pass: boolean; scoreModifier: number }>;
}

const TLS_HANDSHAKE = 0x16;

/**
 * One port for both: the grader takes a single address and tries http as well, which leads to
 * https.
 */
async function startFront(tlsOrigin: string): Promise<{ host: string; close(): void }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (first: Buffer) => {
      if (first[0] !== TLS_HANDSHAKE) {
        socket.end(`HTTP/1.1 301 Moved Permanently\r\nLocation: https://${host}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`); // prettier-ignore
        return;
      }
      const inner = connect(Number(new URL(tlsOrigin).port), 'localhost');
      inner.on('error', () => socket.destroy());
      inner.write(first);
      socket.pipe(inner).pipe(socket);
    });
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const host = `localhost:${(server.address() as AddressInfo).port}`;
  return { host, close: () => void server.close() };
}

const grader = join(folderOfTool({ pkg: '@mdn/mdn-http-observatory@1.4.8', command: 'mdn-http-observatory-scan' }), '../src/scan.js'); // prettier-ignore
// Its install script would fetch the list of preloaded hosts. Ours is on none, so an empty one says
// the same.
const preloaded = join(grader, '../../conf/hsts-preload.json');
if (!existsSync(preloaded)) writeFileSync(preloaded, '{}');

const authority = createAuthority();
const site = await startInstallation({ processes: ['app'] });
const proxy = await startTlsProxy({ ...authority.issue(), to: site.apps.app.origin });
const front = await startFront(proxy.origin);
try {
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: authority.caFile };
  const { stdout } = await promisify(execFile)(process.execPath, [grader, front.host], { env });
  const { scan, tests } = JSON.parse(stdout) as Scan;
  for (const [name, { result, pass, scoreModifier }] of Object.entries(tests)) {
    console.log(
      `${pass ? 'ok  ' : 'FAIL'} ${name}: ${result} (${scoreModifier >= 0 ? '+' : ''}${scoreModifier})`,
    );
  }
  console.log(
    `grade ${scan.grade}, score ${scan.score}, ${scan.testsPassed} of ${scan.testsQuantity} tests passed`,
  );
  if (scan.grade !== 'A+') process.exitCode = 1;
} finally {
  front.close();
  proxy.close();
  authority.remove();
  await site.close();
}

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { startInstallation, type Installation } from '../process/support/installation.js';
import { openSocket } from '../proxy/support/raw-http.js';

const HEAD = ['Host: connect.example', 'X-Forwarded-Proto: https'];

interface Slow {
  socket: Socket;
  /** What came back, and how long after the connection it was closed. */
  end: Promise<{ text: string; ms: number }>;
}

function openSlow(origin: string, firstBytes: string): Slow {
  const socket = openSocket(origin);
  const startedMs = performance.now();
  let text = '';
  socket.write(firstBytes);
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const end = once(socket, 'close').then(() => ({ text, ms: performance.now() - startedMs }));
  return { socket, end };
}

let site: Installation<'app'>;
let slowHead: Slow;
let slowBody: Slow;
let dripping: NodeJS.Timeout;
beforeAll(async () => {
  site = await startInstallation({ processes: ['app'] });
  const { origin } = site.apps.app;
  slowHead = openSlow(origin, `GET / HTTP/1.1\r\nHost: connect.example\r\nX-Slow: `);
  slowBody = openSlow(origin, `POST /logout HTTP/1.1\r\n${HEAD.join('\r\n')}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n_csrf=`); // prettier-ignore
  dripping = setInterval(() => {
    for (const { socket } of [slowHead, slowBody]) if (socket.writable) socket.write('a');
  }, 500);
});
afterAll(async () => {
  clearInterval(dripping);
  await site.close();
});

describe('a request that comes a byte at a time', () => {
  it('[J05] is 408 within 15 seconds while its head is not there', async () => {
    const { text, ms } = await slowHead.end;
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(ms).toBeLessThan(15_000);
  });

  it('[J05] is 408 within 30 seconds while its body is not there', async () => {
    const { text, ms } = await slowBody.end;
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(ms).toBeLessThan(30_000);
    expect((await site.stranger.call(site.apps.app, '/healthz')).status).toBe(200);
  });
});

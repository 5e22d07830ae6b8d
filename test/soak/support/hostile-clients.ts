// A process of its own, so that its work does not delay what the soak measures beside it.
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const [origin = '', secondsText = '20', cookie = '', csrfToken = ''] = process.argv.slice(2);
const { hostname, port } = new URL(origin);
const endsAtMs = performance.now() + Number(secondsText) * 1000;
const isOver = (): boolean => performance.now() > endsAtMs;

const HEAD = 'Host: connect.example\r\nX-Forwarded-Proto: https\r\n';
const SIGNED_IN = `${HEAD}Cookie: ${cookie}\r\nAccept: text/html\r\n`;
const open = (): Socket => connect(Number(port), hostname).on('error', () => undefined);
const sent: Record<string, number> = {};
const count = (what: string, by = 1): void => void (sent[what] = (sent[what] ?? 0) + by);

/** Until the response ends or the connection is closed; the request should say `Connection: close`. */
async function send(request: string): Promise<void> {
  const socket = open().resume();
  socket.write(request);
  await new Promise((resolve) => socket.once('close', resolve));
}

async function pipelineAndHangUp(): Promise<void> {
  const paths = ['/', '/no-such-path', '/assets/style.css', '/api/company/profile', '/login'];
  for (let round = 0; !isOver(); round += 1) {
    const request = `GET ${paths[round % paths.length] ?? '/'} HTTP/1.1\r\n${HEAD}\r\n`;
    const socket = open();
    socket.write(request.repeat(200));
    count('pipelined requests', 200);
    await delay(20);
    socket.destroy();
  }
}

async function neverRead(): Promise<void> {
  while (!isOver()) {
    const socket = open().pause();
    socket.write(`GET /assets/style.css HTTP/1.1\r\n${HEAD}\r\n`.repeat(30));
    count('readers that never read');
    await delay(100);
  }
}

async function neverFinishABody(): Promise<void> {
  while (!isOver()) {
    const type = 'Content-Type: application/x-www-form-urlencoded\r\n';
    open()
      .resume()
      .write(`POST /logout HTTP/1.1\r\n${HEAD}${type}Content-Length: 1000\r\n\r\n_csrf=`);
    count('unfinished bodies');
    await delay(100);
  }
}

async function slowPagesLeft(): Promise<void> {
  const sockets = Array.from({ length: 300 }, () => open().resume());
  for (const socket of sockets) socket.write(`GET /debts HTTP/1.1\r\n${SIGNED_IN}\r\n`);
  count('slow pages', sockets.length);
  await delay(2_000);
  for (const socket of sockets) socket.destroy();
}

async function largeBodies(): Promise<void> {
  const body = JSON.stringify({ debt_id: 'DEBT-1', type: 'call', notes: 'x'.repeat(1_000_000) });
  const head = `${SIGNED_IN}X-CSRF-Token: ${csrfToken}\r\nContent-Type: application/json\r\nConnection: close\r\n`;
  const request = `POST /api/followups HTTP/1.1\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`;
  await Promise.all(Array.from({ length: 50 }, () => send(request)));
  count('large bodies', 50);
}

async function loadPages(): Promise<void> {
  while (!isOver()) {
    await send(`GET /dashboard HTTP/1.1\r\n${SIGNED_IN}Connection: close\r\n\r\n`);
    count('pages loaded');
  }
}

const attacks = {
  pipelineAndHangUp,
  neverRead,
  neverFinishABody,
  slowPagesLeft,
  largeBodies,
  loadPages,
};
const chosen = process.env['HOSTILE_ONLY']; // one attack alone, to see what it costs
await Promise.all(
  Object.entries(attacks)
    .filter(([name]) => chosen === undefined || name === chosen)
    .map(([, attack]) => attack()),
);
process.stdout.write(JSON.stringify(sent));
process.exit(0); // whatever is still open is left without a word

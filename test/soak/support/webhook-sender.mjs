// node webhook-sender.mjs <origins, comma-separated> <secret> <count> <per second> <prefix of ids>: signed webhooks over
// connections that stay open, in a process of its own, so that whoever measures meanwhile is not held up.
// Prints { statuses: { "200": n }, seconds }.
import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const [origins, secret, count, perSecond, prefix] = process.argv.slice(2);
const CONNECTIONS = 32;

const requests = Array.from({ length: Number(count) }, (_, number) => {
  const body = JSON.stringify({ type: 'debt.updated', data: { id: prefix + number } });
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const head = [
    'POST /webhooks/getbill HTTP/1.1',
    'Host: connect.example',
    'X-Forwarded-Proto: https',
  ]
    .concat('Content-Type: application/json', `X-GetBill-Signature: ${signature}`)
    .concat(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${head.join('\r\n')}\r\n\r\n${body}`;
});
const statuses = {};
let answered = 0;
let end;
const ended = new Promise((resolve) => (end = resolve));
const idle = [];
const waiting = [];

/**
 * One request at a time. A response of ours is small, and has its length in its head. As every sender of webhooks, this one
 * tries again where it was not let in.
 */
function openConnection(target) {
  const { hostname, port } = target;
  const socket = connect(Number(port), hostname);
  let text = '';
  const send = (request) => socket.write(request);
  const next = () => {
    const request = waiting.shift();
    if (request === undefined) idle.push(send);
    else send(request);
  };
  const tryAgain = () => setTimeout(openConnection, 100, target);
  socket.once('error', tryAgain).on('connect', () => {
    socket.off('error', tryAgain); // from now on it ends this process
    next();
  });
  socket.on('data', (chunk) => {
    text += chunk;
    const headEnds = text.indexOf('\r\n\r\n');
    const length = /content-length: (\d+)/i.exec(text);
    if (headEnds < 0 || text.length < headEnds + 4 + Number(length?.[1])) return;
    const status = text.slice(9, 12);
    statuses[status] = (statuses[status] ?? 0) + 1;
    text = '';
    answered += 1;
    if (answered === requests.length) end();
    else next();
  });
}

const targets = origins.split(',').map((origin) => new URL(origin));
for (let n = 0; n < CONNECTIONS; n += 1) openConnection(targets[n % targets.length]);
const startedMs = performance.now();
for (let sent = 0; sent < requests.length; await delay(2)) {
  const due = ((performance.now() - startedMs) / 1000) * Number(perSecond);
  for (; sent < Math.min(due, requests.length); sent += 1) {
    const send = idle.shift();
    if (send === undefined) waiting.push(requests[sent]);
    else send(requests[sent]);
  }
}
await ended;
process.stdout.write(JSON.stringify({ statuses, seconds: (performance.now() - startedMs) / 1000 }));
process.exit(0);

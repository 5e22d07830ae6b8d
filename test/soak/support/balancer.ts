import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../support/until.js';
import type { Target } from '../../process/support/visitor.js';

/** Spreads requests over the processes whose `/readyz` says 200. It tries nothing twice: a process that fails a request has failed it. */
export interface Balancer extends Target {
  replace(old: Target, next: Target): void;
  untilReady(target: Target): Promise<void>;
  close(): Promise<void>;
}

const LOOKS_EVERY_MS = 100;

export async function startBalancer(targets: readonly Target[]): Promise<Balancer> {
  const members = new Set(targets);
  const ready = new Set<Target>();
  const agent = new Agent({ keepAlive: true });
  let turn = 0;
  let closed = false;

  async function look(target: Target): Promise<void> {
    const signal = AbortSignal.timeout(2_000);
    const ok = await fetch(`${target.origin}/readyz`, { signal }).then((answer) => answer.ok, () => false); // prettier-ignore
    if (ok && members.has(target)) ready.add(target);
    else ready.delete(target);
  }
  async function lookAround(): Promise<void> {
    while (!closed) {
      await Promise.all([...members].map(look));
      await delay(LOOKS_EVERY_MS);
    }
  }

  const server = createServer((req, res) => {
    const target = [...ready][turn++ % ready.size];
    if (target === undefined) return void res.writeHead(503).end();
    const options = { agent, method: req.method, headers: req.headers };
    const inner = request(new URL(req.url ?? '/', target.origin), options, (answer) => {
      delete answer.headers['keep-alive']; // of the connection to the process
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    inner.on('error', () => (res.headersSent ? res.destroy() : res.writeHead(502).end()));
    req.pipe(inner);
  });
  server.keepAliveTimeout = 0; // a connection is never closed in the moment of its next request
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  await Promise.all(targets.map(look));
  const looking = lookAround();
  const untilReady = (target: Target): Promise<void> =>
    until(`${target.origin} is ready`, () => ready.has(target));

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    replace(old, next) {
      members.delete(old);
      members.add(next);
    },
    untilReady,
    async close() {
      closed = true;
      await looking;
      server.closeAllConnections();
      server.close();
      agent.destroy();
    },
  };
}

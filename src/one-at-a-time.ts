import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/** Requests that may wait on one connection. Browsers and reverse proxies do not pipeline. */
const MAX_WAITING = 32;
/** On all connections together: each may have a head of 16 KB. */
const MAX_WAITING_IN_ALL = 512;

/**
 * Handles the requests of one connection one after the other; Node hands over pipelined requests
 * all at once. Each response then has its socket from the start, so it always emits `close`, and
 * requests whose client has hung up are never begun. A connection with more requests waiting is
 * closed. This runs before Express, which would be a tenth of what such a client costs.
 */
export function oneAtATime(handle: RequestListener): RequestListener {
  // a queue exists while a request is handled, or about to be
  const queues = new WeakMap<Socket, (() => void)[]>();
  let waiting = 0;
  return (req, res) => {
    const { socket } = req;
    if (socket.destroyed) return; // closed below: Node hands over what it has read nevertheless
    const begin = (): void => {
      res.once('close', () => beginNext(socket));
      void handle(req, res);
    };
    const queue = queues.get(socket);
    if (queue === undefined) {
      queues.set(socket, [begin]);
      waiting += 1;
      // once all that came together is known: of too many not one is begun
      process.nextTick(beginNext, socket);
    } else if (queue.length < MAX_WAITING && waiting < MAX_WAITING_IN_ALL) {
      queue.push(begin);
      waiting += 1;
    } else {
      closeWithoutStacks(socket);
    }
  };

  function beginNext(socket: Socket): void {
    const queue = queues.get(socket) ?? [];
    const next = socket.writable ? queue.shift() : undefined;
    if (next === undefined) {
      waiting -= queue.length;
      queues.delete(socket);
    } else {
      waiting -= 1;
      next();
    }
  }
}

/**
 * Node makes an error for each request of the connection that is open still, in a `close` listener
 * of its own, between the two here; their stacks alone would be a third of the cost.
 */
function closeWithoutStacks(socket: Socket): void {
  const { stackTraceLimit } = Error;
  socket.prependOnceListener('close', () => (Error.stackTraceLimit = 0));
  socket.once('close', () => (Error.stackTraceLimit = stackTraceLimit));
  socket.destroy();
}

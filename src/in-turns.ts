import type { RequestListener } from 'node:http';

/**
 * Begins one request of each browser in one turn of the event loop, so that one that asks for
 * hundreds of things at once delays itself: those of all others begin in between. A turn takes long
 * only where much is begun: a page with its handful of calls waits for nothing. A browser is known
 * by its cookies here, without a look at Redis; all requests that carry none count as one
 * browser's. A request whose client hangs up while it waits is never begun: its response has
 * emitted `close` already, for which everything behind here waits.
 */
export function inTurns(handle: RequestListener): RequestListener {
  /** The requests that wait, by browser. An empty queue: a request of it has begun in this turn. */
  const waiting = new Map<string, Parameters<RequestListener>[]>();

  function startTurn(): void {
    for (const [browser, queue] of waiting) {
      let next = queue.shift();
      while (next?.[0].socket.destroyed === true) next = queue.shift();
      if (next === undefined) waiting.delete(browser);
      else handle(...next);
    }
    if (waiting.size > 0) setImmediate(startTurn);
  }

  return function begin(req, res) {
    const browser = req.headers.cookie ?? '';
    const queue = waiting.get(browser);
    if (queue !== undefined) return void queue.push([req, res]);
    if (waiting.size === 0) setImmediate(startTurn);
    waiting.set(browser, []);
    handle(req, res);
  };
}

import type { RequestListener } from 'node:http';

/** A turn takes long only where much is begun: a page with its handful of calls waits for nothing. */
const PER_TURN = 2;

/**
 * Begins at most `PER_TURN` requests of one browser in one turn of the event loop, so that one that asks for hundreds of
 * pages at once delays itself: those of all others begin in between. A browser is known by its cookies here, without a
 * look at Redis; all requests that carry none count as one browser's. A request whose client hangs up while it waits is
 * never begun: its response has emitted `close` already, for which everything behind here waits.
 */
export function inTurns(handle: RequestListener): RequestListener {
  const begun = new Map<string, number>(); // in this turn
  let waiting: (() => void)[] = [];

  const begin: RequestListener = (req, res) => {
    const browser = req.headers.cookie ?? '';
    const earlier = begun.get(browser) ?? 0;
    if (begun.size === 0) setImmediate(startTurn);
    begun.set(browser, earlier + 1);
    if (earlier < PER_TURN) handle(req, res);
    else waiting.push(() => (req.socket.destroyed ? undefined : begin(req, res)));
  };

  function startTurn(): void {
    begun.clear();
    const those = waiting;
    waiting = [];
    for (const beginOne of those) beginOne();
  }

  return begin;
}

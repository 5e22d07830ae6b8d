import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

/** Few enough that requests of people have their turn between two batches. */
const MAX_ITEMS = 20;
const PAUSE_MS = 10;

/**
 * Does work in batches, one at a time: what comes in one turn of the event loop, or while a batch
 * is under way, goes together. After a batch of several items, which means load, a pause makes
 * batches fewer and larger. `work` returns a result for each item; when it throws, all items fail.
 */
export function inBatches<Item, Result>(
  work: (items: readonly Item[]) => Promise<Result[]>,
): (item: Item) => Promise<Result> {
  let open: { items: Item[]; results: Promise<Result[]> } | undefined;
  let previous: Promise<void> = Promise.resolve();

  function openBatch(): { items: Item[]; results: Promise<Result[]> } {
    const items: Item[] = [];
    const results = workAfter(previous, items);
    previous = ended(items, results);
    return { items, results };
  }

  async function workAfter(before: Promise<void>, items: Item[]): Promise<Result[]> {
    await before;
    await nextTurn();
    if (open?.items === items) open = undefined;
    return await work(items);
  }

  async function ended(items: Item[], results: Promise<Result[]>): Promise<void> {
    await results.catch(() => undefined);
    if (items.length > 1) await delay(PAUSE_MS);
  }

  return async function add(item) {
    if (open === undefined || open.items.length === MAX_ITEMS) open = openBatch();
    const { items, results } = open;
    const index = items.push(item) - 1;
    return (await results)[index] as Result;
  };
}

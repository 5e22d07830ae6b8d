import { inBatches } from '../../src/webhooks/in-batches.js';

describe('work in batches', () => {
  /** Ends when told to. */
  function heldWork() {
    const batches: (readonly number[])[] = [];
    const ends: (() => void)[] = [];
    const add = inBatches(async (items: readonly number[]) => {
      batches.push([...items]);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (items.includes(13)) throw new Error('bad luck');
      return items.map((item) => item * 2);
    });
    return { add, batches, endNext: () => ends.shift()?.() };
  }
  const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 15));

  it('takes together what comes in one turn, or while a batch is under way', async () => {
    const { add, batches, endNext } = heldWork();
    const results = [add(1), add(2)];
    await turn();
    results.push(add(3));
    await turn();
    results.push(add(4));
    expect(batches).toEqual([[1, 2]]);
    endNext();
    while (batches.length < 2) await turn();
    endNext();
    expect(await Promise.all(results)).toEqual([2, 4, 6, 8]);
    expect(batches).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('takes at most twenty at a time, and loses none', async () => {
    const sizes: number[] = [];
    const add = inBatches((items: readonly number[]) => {
      sizes.push(items.length);
      return Promise.resolve([...items]);
    });
    const items = Array.from({ length: 50 }, (_, n) => n);
    expect(await Promise.all(items.map(add))).toEqual(items);
    expect(sizes).toEqual([20, 20, 10]);
  });

  it('fails one batch as a whole, and goes on with the next', async () => {
    const { add, batches, endNext } = heldWork();
    const failing = Promise.allSettled([add(1), add(13)]);
    await turn();
    const next = add(5);
    endNext();
    expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    while (batches.length < 2) await turn();
    endNext();
    expect(await next).toBe(10);
  });
});

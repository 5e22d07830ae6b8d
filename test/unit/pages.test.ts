import { setTimeout as delay } from 'node:timers/promises';
import { GetbillApiError, UnavailableError, WalkStoppedError } from '../../src/errors.js';
import { createWalk, type WalkOptions } from '../../src/getbill/pagination.js';

const limited = (retryAfterS?: number): GetbillApiError =>
  new GetbillApiError({
    status: 429,
    message: 'limit',
    ...(retryAfterS !== undefined && { retryAfterS }),
  });

/** A list of `total` numbers, and what happened. `answers` stand before the real ones, in order. */
function setUp({ total = 250, answers = [] as (Error | 'ok')[] } = {}) {
  const list = { total, asked: [] as string[], slept: [] as number[], waits: [] as object[] };
  const walk = createWalk({ sleep: async (ms) => Promise.resolve(void list.slept.push(ms)) });
  async function read({ page, limit }: { page: number; limit: number }) {
    list.asked.push(`${page}x${limit}`);
    const next = answers.shift() ?? 'ok';
    if (next !== 'ok') throw next;
    const first = (page - 1) * limit;
    const items = Array.from(
      { length: Math.max(0, Math.min(limit, list.total - first)) },
      (_, index) => first + index,
    );
    const pagination = { total: list.total, page, limit, pages: Math.ceil(list.total / limit) };
    return Promise.resolve({ items, pagination });
  }
  async function all(options: WalkOptions = {}): Promise<{ got: number[]; error?: unknown }> {
    const got: number[] = [];
    try {
      const watched = { onWait: (wait: object) => void list.waits.push(wait), ...options };
      for await (const item of walk(read, watched)) got.push(item);
      return { got };
    } catch (error) {
      return { got, error };
    }
  }
  return { list, walk, read, all };
}
const upTo = (count: number, from = 0): number[] =>
  Array.from({ length: count - from }, (_, index) => from + index);

describe('a walk over a list', () => {
  it('reads every page once, a hundred at a time, and ends', async () => {
    const { all, list } = setUp();
    expect(await all()).toEqual({ got: upTo(250) });
    expect(list.asked).toEqual(['1x100', '2x100', '3x100']);
  });

  it('asks for a page only when the one before is used up', async () => {
    const { walk, read, list } = setUp();
    for await (const item of walk(read)) if (item === 99) break;
    expect(list.asked).toEqual(['1x100']);
  });

  it('ends at an empty list, and goes on with one that grows', async () => {
    expect(await setUp({ total: 0 }).all()).toEqual({ got: [] });
    const { all, list } = setUp({ total: 200 });
    const { got } = await all({ onPage: ({ page }) => void (page === 2 && (list.total = 201)) });
    expect([got.length, list.asked.length]).toEqual([200, 2]); // grown too late to be seen
    const grown = setUp({ total: 200 });
    expect(await grown.all({ onPage: ({ page }) => void (page === 1 && (grown.list.total = 301)) })).toEqual({ got: upTo(301) });
  }); // prettier-ignore

  it('counts the pages itself and ends at an empty one, whatever GetBill says of them', async () => {
    const { walk, read } = setUp({ total: 150 });
    const pagination = { total: 9_900, page: 1, limit: 100, pages: 99 };
    const list = async (request: Parameters<typeof read>[0]) => ({ ...(await read(request)), pagination }); // prettier-ignore
    const [got, pages]: number[][] = [[], []];
    const onPage = ({ page }: { page: number }): void => void pages?.push(page);
    for await (const item of walk(list, { onPage })) got?.push(item);
    expect([got, pages]).toEqual([upTo(150), [1, 2, 3]]);
  });

  it('waits as long as GetBill says, then asks for the same page again', async () => {
    const { all, list } = setUp({ answers: ['ok', limited(7), limited()] });
    expect(await all()).toEqual({ got: upTo(250) });
    expect(list.asked).toEqual(['1x100', '2x100', '2x100', '2x100', '3x100']);
    expect(list.slept).toEqual([7_000, 60_000]);
    expect(list.waits).toEqual([{ page: 2, waitMs: 7_000 }, { page: 2, waitMs: 60_000 }]); // prettier-ignore
  });

  it.each<[string, (Error | 'ok')[], string, number]>([
    ['told to wait longer than it may', ['ok', limited(61)], 'getbill_quota_used', 0],
    ['told to wait for the fourth time', ['ok', limited(1), limited(1), limited(1), limited(1)], 'getbill_quota_used', 3],
    ['GetBill does not answer', ['ok', new UnavailableError('x', { code: 'getbill_timeout' })], 'getbill_timeout', 0],
    ['GetBill says no', ['ok', new GetbillApiError({ status: 403, message: 'x' })], 'missing_scope', 0],
  ])('stops when %s, says where, and goes on from there', async (_when, answers, code, waits) => {
    const { all, list } = setUp({ answers });
    const { got, error } = await all();
    expect(error).toBeInstanceOf(WalkStoppedError);
    expect(error).toMatchObject({ code, nextPage: 2 });
    expect([got, list.slept.length]).toEqual([upTo(100), waits]);
    expect(await all({ from: 2 })).toEqual({ got: upTo(250, 100) });
  }); // prettier-ignore

  it('waits for as long as it is allowed to, and not at all when that is 0', async () => {
    const patient = setUp({ answers: [limited(1800)] });
    expect(await patient.all({ maxWaitMs: 3_600_000 })).toEqual({ got: upTo(250) });
    const hasty = setUp({ answers: [limited(1)] });
    expect((await hasty.all({ maxWaitMs: 0 })).error).toMatchObject({
      nextPage: 1,
      retryAfterS: 1,
      status: 429,
    });
  });

  it('that is told to stop ends its wait at once, and begins no other', async () => {
    const { read } = setUp({ answers: [limited(50), limited(50)] });
    const walk = createWalk({ sleep: (ms, signal) => delay(ms, undefined, signal && { signal }) });
    const leaving = new AbortController();
    const waits: number[] = [];
    const onWait = ({ page }: { page: number }): void => {
      waits.push(page);
      setImmediate(() => leaving.abort());
    };
    const options = { onWait, signal: leaving.signal };
    const stopped = expect.objectContaining({ name: 'AbortError' }) as Error;
    await expect(walk(read, options).next()).rejects.toEqual(stopped);
    await expect(walk(read, options).next()).rejects.toEqual(stopped);
    expect(waits).toEqual([1]);
  });

  it('does not walk for ever', async () => {
    const { all, list } = setUp({ total: 20_000 });
    const { got, error } = await all({ perPage: 1 });
    expect([got.length, list.asked.length]).toEqual([10_000, 10_000]);
    expect(error).toMatchObject({ code: 'list_endless', nextPage: 10_001 });
  });

  it('passes a bug on as it is', async () => {
    const bug = new TypeError('a bug');
    expect((await setUp({ answers: [bug] }).all()).error).toBe(bug);
  });
});

import { AppError } from '../../src/errors.js';
import type { GetbillClient } from '../../src/getbill/client.js';
import { countStatuses, readLastFollowups, readOverview } from '../../src/getbill/debt-reads.js';
import type { Debt, Followup } from '../../src/getbill/types.js';

const todayMs = Date.UTC(2026, 0, 15);
const debt = (fields: object): Debt => fields as Debt;

/** GetBill, with a list of so many pages. */
function listOf(items: Debt[], { total = items.length, pages = 1 } = {}) {
  const debts = jest.fn((request?: { page?: number }) =>
    Promise.resolve({ items, pagination: { total, pages, page: request?.page ?? 1, limit: 100 } }),
  );
  return { client: { debts } as unknown as GetbillClient, debts };
}

describe('the overview of debts', () => {
  it('counts as overdue what is open and was due before today', async () => {
    const { client } = listOf([
      debt({ status: 'status.default.pending', due_date: '2026-01-14' }),
      debt({ status: 'status.default.pending', due_date: '2026-01-15' }),
      debt({ status: 'status.default.pending', due_date: null }),
      debt({ status: 'status.default.paid', due_date: '2026-01-14' }),
    ]);
    expect(await readOverview(client, { todayMs })).toMatchObject({ open: 3, overdue: 1 });
  });

  it.each([
    ['one page', { pages: 1 }, [1], 1],
    ['two', { pages: 2, total: 2 }, [1, 2], 2],
    ['nine', { pages: 9, total: 900 }, [1, 9], undefined],
    ['one page, of which GetBill counts less than it sends', { total: 0 }, [1], 1],
  ])(
    'looks at the first and the last page, and counts what it has seen whole: %s',
    async (_what, list, pages, count) => {
      const { client, debts } = listOf([debt({ status: 'status.default.paid' })], list);
      const { counts } = await readOverview(client, { todayMs });
      expect(debts.mock.calls.map(([request]) => request?.page)).toEqual(pages);
      expect(counts?.get('status.default.paid')).toBe(count);
    },
  );

  it('names four statuses of the company, and none of GetBill', async () => {
    const names = ['default.paid', 'custom.a', 'custom.b', 'custom.c', 'custom.d', 'custom.e'];
    const { client } = listOf(names.map((name) => debt({ status: `status.${name}` })));
    const { ownStatuses } = await readOverview(client, { todayMs });
    expect(ownStatuses).toEqual(names.slice(1, 5).map((name) => `status.${name}`));
  });
});

describe('the last follow-up of a debt', () => {
  const call = (id: string, day: string) => ({ id, call_date: `2026-01-${day}T10:00:00Z` });
  const clientWith = (items: object[]) => {
    const followupsOfDebt = jest.fn(() => Promise.resolve({ items: items as Followup[] }));
    return { client: { followupsOfDebt } as unknown as GetbillClient, followupsOfDebt };
  };

  it.each([
    ['the latest that has happened', [call('a', '10'), call('b', '14'), call('c', '20')], 'b'],
    ['the one that is planned, where none has', [call('c', '20')], 'c'],
  ])('is %s', async (_what, items, id) => {
    const last = await readLastFollowups(clientWith(items).client, [debt({ id: 'd' })], todayMs);
    expect(last.get('d')?.id).toBe(id);
  });

  it('is not asked for where GetBill says that there is none', async () => {
    const { client, followupsOfDebt } = clientWith([]);
    const debts = [debt({ id: 'd', followups_count: 0 })];
    expect([...(await readLastFollowups(client, debts, todayMs)).keys()]).toEqual(['d']);
    expect(followupsOfDebt).not.toHaveBeenCalled();
  });
});

describe('of ten counts whose first one fails', () => {
  const statuses = ['failing', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
  const countWith = (status: number) => {
    const debts = jest.fn((request: { status: string }) =>
      request.status === 'failing'
        ? Promise.reject(new AppError('no', { code: 'unexpected', status }))
        : Promise.resolve({ items: [], pagination: { total: 1 } }),
    );
    const counting = countStatuses({ debts } as unknown as GetbillClient, statuses);
    return { counting, debts };
  };

  it('the others are shown', async () => {
    expect((await countWith(502).counting).uncounted).toEqual(['failing']);
  });

  it.each([429, 504])('no more are begun after a %i', async (status) => {
    const { counting, debts } = countWith(status);
    expect((await counting).counts.size).toBeLessThan(9);
    expect(debts.mock.calls.length).toBeLessThan(10);
  });

  it.each([401, 403])('none is shown after a %i', async (status) => {
    await expect(countWith(status).counting).rejects.toMatchObject({ status });
  });
});

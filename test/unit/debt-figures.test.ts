import { StorageError } from '../../src/errors.js';
import type { GetbillClient } from '../../src/getbill/client.js';
import { createDebtFigures } from '../../src/getbill/debt-figures.js';
import type { DebtOverview } from '../../src/getbill/debt-reads.js';
import type { Debt } from '../../src/getbill/types.js';

const NOON = Date.UTC(2026, 0, 15, 12);
const overview = { ownStatuses: [], counts: undefined } as unknown as DebtOverview;
const statuses = ['status.default.paid'];
const debtsOf = (...ids: string[]): Debt[] => ids.map((id) => ({ id }) as Debt);
type Deps = Parameters<typeof createDebtFigures>[0];

/** What GetBill has said of its limit: nothing, a limit, or what is left of one, too. */
function figuresWith({
  limit,
  left,
  consume = () => Promise.resolve({ granted: true, resetInMs: 1 }),
}: { limit?: number; left?: number; consume?: Deps['limits']['consume'] } = {}) {
  const known =
    limit === undefined || left === undefined
      ? undefined
      : { limit, left, resetsAt: new Date(NOON + 60_000) };
  const share = limit === undefined ? undefined : { most: limit, windowMs: 3_600_000 };
  const client = {
    debts: jest.fn(() =>
      Promise.resolve({
        items: [{ id: 'd', status: 'status.default.paid', due_date: '2026-01-15' }],
        pagination: { total: 1, pages: 1 },
      }),
    ),
    followupsOfDebt: jest.fn(() => Promise.resolve({ items: [] })),
  };
  const figures = createDebtFigures({
    quota: { lastKnown: () => Promise.resolve(known), limit: () => share },
    limits: { consume },
    facts: { read: () => Promise.resolve({ withheld: [] }) },
    now: () => NOON,
  });
  const api = client as unknown as GetbillClient;
  return {
    client,
    overview: () => figures.overview('grant', api),
    counts: (of = overview, grantId = 'grant') =>
      figures.statusCounts(grantId, api, { overview: of, statuses }),
    followups: (...ids: string[]) => figures.lastFollowups('grant', api, debtsOf(...ids)),
    forget: () => figures.forget('grant'),
  };
}

describe('the figures of the dashboard', () => {
  it('take a debt that is due today for one that is not overdue yet', async () => {
    const { client, overview: read } = figuresWith();
    const due = { id: 'd', status: 'status.default.pending', due_date: '2026-01-15' };
    client.debts.mockResolvedValue({ items: [due], pagination: { total: 1, pages: 1 } });
    expect((await read()).value).toMatchObject({ open: 1, overdue: 0 });
  });

  it.each([
    ['GetBill names no limit', {}],
    ['it names a limit and not what is left', { limit: 1_000 }],
    ['a fifth of it is left', { limit: 1_000, left: 200 }],
    ['a hundred are left of a small one', { limit: 200, left: 100 }],
    ['the storage cannot count', { limit: 1_000, consume: () => Promise.reject(new StorageError(new Error('away'))) }], // prettier-ignore
  ])('that cost many reads are read where %s', async (_where, options) => {
    expect((await figuresWith(options).counts()).value.uncounted).toEqual([]);
  });

  it.each([
    ['less than a fifth is left', { limit: 1_000, left: 199 }],
    ['less than a hundred are left of a small one', { limit: 200, left: 99 }],
    ['the company has read them often enough', { limit: 1_000, consume: () => Promise.resolve({ granted: false, resetInMs: 1 }) }], // prettier-ignore
  ])('that cost many reads are not read where %s', async (_where, options) => {
    const { client, counts } = figuresWith(options);
    await expect(counts()).rejects.toMatchObject({ code: 'getbill_quota_low' });
    expect(client.debts).not.toHaveBeenCalled();
  });

  it('are counted for each person alone while their company is not known', async () => {
    const names: string[] = [];
    const consume: Deps['limits']['consume'] = (_kind, name) => {
      names.push(name);
      return Promise.resolve({ granted: true, resetInMs: 1 });
    };
    const { counts } = figuresWith({ limit: 1_000, consume });
    await counts(overview, 'one');
    await counts(overview, 'two');
    expect(new Set(names).size).toBe(2);
  });

  it('cost nothing where every debt was looked at', async () => {
    const { client, counts } = figuresWith();
    const seen = new Map([['status.default.paid', 7]]);
    expect((await counts({ ...overview, counts: seen })).value.counts).toBe(seen);
    expect(client.debts).not.toHaveBeenCalled();
  });

  it('are read again for a debt that they do not know, and after the sign-out', async () => {
    const { client, followups, forget } = figuresWith();
    await followups('a');
    await followups('a');
    expect(client.followupsOfDebt).toHaveBeenCalledTimes(1);
    await followups('a', 'b');
    expect(client.followupsOfDebt).toHaveBeenCalledTimes(3);
    forget();
    await followups('a', 'b');
    expect(client.followupsOfDebt).toHaveBeenCalledTimes(5);
  });
});

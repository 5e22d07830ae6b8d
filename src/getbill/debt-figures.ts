import { UnavailableError } from '../errors.js';
import { boundedMap } from '../limits/bounded-map.js';
import type { SharedLimits } from '../limits/shared-limits.js';
import { createCachedReads, type Reading } from './cached-reads.js';
import type { GetbillClient } from './client.js';
import {
  countStatuses,
  NEWEST,
  readLastFollowups,
  readOverview,
  type DebtOverview,
  type LastFollowups,
  type StatusCounts,
} from './debt-reads.js';
import { companyHash, type GrantFacts } from './grant-facts.js';
import { ignoreStorage, type Quota } from './quota.js';
import type { Credits, Debt } from './types.js';

const FRESH_MS = 5 * 60_000;
const KEPT_MS = 60 * 60_000;
const DAY_MS = 86_400_000;
const MAX_COMPANIES = 10_000;
/** The longest wait of a page for one kind of figure. */
const WAIT_MS = 5_000;
/** Reads kept for other calls, as a share and as a number: figures that cost many go without. */
const RESERVE_SHARE = 0.2;
const RESERVE = 100;
/** With fewer left than these, no figures at all. */
const SMALL_RESERVE = 10;
/** The part of GetBill's limit for one kind of figure that costs many reads, of one company. */
const FIGURES_SHARE = 0.1;

/** The figures of the dashboard, read sparingly: GetBill's quota is shared by all users. */
export interface DebtFigures {
  credits(grantId: string, client: GetbillClient): Promise<Reading<Credits>>;
  overview(grantId: string, client: GetbillClient): Promise<Reading<DebtOverview>>;
  statusCounts(
    grantId: string,
    client: GetbillClient,
    options: { overview: DebtOverview; statuses: readonly string[] },
  ): Promise<Reading<StatusCounts>>;
  lastFollowups(
    grantId: string,
    client: GetbillClient,
    debts: readonly Debt[],
  ): Promise<Reading<LastFollowups>>;
  /** As they were counted lately; nothing is read for it. */
  lastCounts(grantId: string): ReadonlyMap<string, number> | undefined;
  readonly forget: (grantId: string) => void;
  /** Something of this company has changed: figures that were read before are read again. */
  readonly forgetCompany: (companyId: string) => void;
}

export function createDebtFigures({
  quota,
  limits,
  facts,
  now,
}: {
  quota: Pick<Quota, 'lastKnown' | 'limit'>;
  limits: Pick<SharedLimits, 'consume'>;
  facts: Pick<GrantFacts, 'read'>;
  now: () => number;
}): DebtFigures {
  /** When a company's data last changed. */
  const changes = boundedMap<number>({ max: MAX_COMPANIES, maxAgeMs: KEPT_MS, now });
  async function changedAtMs(grantId: string): Promise<number | undefined> {
    const company = changes.size === 0 ? undefined : (await facts.read(grantId)).company;
    return company === undefined ? undefined : changes.get(company);
  }
  const options = { now, freshMs: FRESH_MS, keptMs: KEPT_MS, waitMs: WAIT_MS, changedAtMs };
  const credits = createCachedReads<Credits>(options);
  const overviews = createCachedReads<DebtOverview>(options);
  const statusCounts = createCachedReads<StatusCounts>(options);
  const lastFollowups = createCachedReads<LastFollowups>(options);

  /**
   * @throws {UnavailableError} 429: GetBill allows fewer reads than `reserve` before its window
   * ends.
   */
  async function assertReadsLeft(reserve: (limit: number) => number): Promise<void> {
    const known = await quota.lastKnown('read');
    if (known === undefined || known.left >= reserve(known.limit)) return;
    throw quotaLow(known.resetsAt.getTime() - now());
  }
  const assertSomeReadsLeft = () => assertReadsLeft(() => SMALL_RESERVE);

  /**
   * For figures that cost many reads. @throws {UnavailableError} 429: this company has used up its
   * part for them.
   */
  async function consumeReads(
    grantId: string,
    kind: 'counts' | 'followups',
    cost: number,
  ): Promise<void> {
    await assertReadsLeft((limit) => Math.max(RESERVE, limit * RESERVE_SHARE));
    const limit = quota.limit('read');
    if (limit === undefined) return;
    const most = Math.max(1, Math.floor((limit.most * FIGURES_SHARE) / cost));
    const { company: owner = grantId } = await facts.read(grantId);
    const consumed = await limits
      .consume('share', `${kind}:${owner}`, { most, windowMs: limit.windowMs })
      .catch(ignoreStorage);
    if (consumed?.granted === false) throw quotaLow(consumed.resetInMs);
  }

  return {
    credits: (grantId, client) =>
      credits.get(grantId, async () => {
        await assertSomeReadsLeft();
        return await client.credits();
      }),
    overview: (grantId, client) =>
      overviews.get(grantId, async () => {
        await assertSomeReadsLeft();
        return await readOverview(client, { todayMs: Math.floor(now() / DAY_MS) * DAY_MS });
      }),
    statusCounts(grantId, client, { overview, statuses }) {
      const wanted = [...statuses, ...overview.ownStatuses];
      const load = async (): Promise<StatusCounts> => {
        if (overview.counts !== undefined) return { counts: overview.counts, uncounted: [] };
        await consumeReads(grantId, 'counts', wanted.length);
        return await countStatuses(client, wanted);
      };
      return statusCounts.get(grantId, load, ({ uncounted }) => uncounted.length === 0);
    },
    lastFollowups(grantId, client, debts) {
      const ids = debts.map(({ id }) => id);
      const load = async (): Promise<LastFollowups> => {
        await consumeReads(grantId, 'followups', NEWEST);
        return await readLastFollowups(client, debts, now());
      };
      return lastFollowups.get(grantId, load, (known) => ids.every((id) => known.has(id)));
    },
    lastCounts: (grantId) => statusCounts.last(grantId)?.counts,
    forgetCompany: (companyId) => changes.set(companyHash(companyId), now()),
    forget(grantId) {
      for (const reads of [credits, overviews, statusCounts, lastFollowups]) reads.forget(grantId);
    },
  };
}

const quotaLow = (waitMs: number): UnavailableError =>
  new UnavailableError("GetBill's hourly limit is kept for other calls", {
    code: 'getbill_quota_low',
    status: 429,
    retryAfterS: Math.max(1, Math.ceil(waitMs / 1000)),
  });

import { AppError, StorageError, UnavailableError } from '../errors.js';
import { boundedMap } from '../core/bounded-map.js';
import type { SharedLimits } from '../limits/shared-limits.js';
import { createCachedReads, type Reading } from './cached-reads.js';
import type { GetbillClient } from './client.js';
import { dayOf, instantOf } from './dates.js';
import { companyHash, type GrantFacts } from './grant-facts.js';
import type { Quota } from './quota.js';
import type { Credits, Debt, Followup } from './types.js';
import { fieldOf, numberOf, textOf } from './values.js';

const FRESH_MS = 5 * 60_000;
const KEPT_MS = 60 * 60_000;
const DAY_MS = 86_400_000;
const PER_PAGE = 100;
const NEWEST = 5;
const MAX_COMPANIES = 10_000;
const MAX_OWN_STATUSES = 4;
const AT_ONCE = 3;
/** A page waits no longer for one kind of figure; what arrives later is there for the next page. */
const DEADLINE_MS = 5_000;
/** Reads that are left for others: below, figures that cost many reads are not read. */
const RESERVE_SHARE = 0.2;
const RESERVE = 100;
const SMALL_RESERVE = 10;
/** Of GetBill's limit, for one such kind of figure and one company. */
const FIGURES_SHARE = 0.1;

/** Statuses that end a debt. */
const ENDED = new Set(['paid', 'settled', 'archived'].map((name) => `status.default.${name}`));

export const isEnded = (status: unknown): boolean => ENDED.has(textOf(status) ?? '');

/**
 * What is known of a company's debts from the first and the last page of its list: GetBill's API
 * neither sorts nor searches, so "newest" and "overdue" hold for the debts that were looked at.
 */
export interface DebtOverview {
  readonly total: number;
  readonly looked: number;
  /** By import date, newest first. */
  readonly newest: readonly Debt[];
  /** Neither paid, settled nor archived. */
  readonly open: number;
  /** Open, and due before today. */
  readonly overdue: number;
  /** Statuses of the company's own that were seen. */
  readonly ownStatuses: readonly string[];
  /** Every debt was looked at: how many of each status. */
  readonly counts: ReadonlyMap<string, number> | undefined;
}

export interface StatusCounts {
  readonly counts: ReadonlyMap<string, number>;
  readonly uncounted: readonly string[];
}

/** The last follow-up of a debt: `undefined` for none, missing where it could not be read. */
export type LastFollowups = ReadonlyMap<string, Followup | undefined>;

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
  quota: Pick<Quota, 'seen' | 'limit'>;
  limits: Pick<SharedLimits, 'consume'>;
  facts: Pick<GrantFacts, 'read'>;
  now: () => number;
}): DebtFigures {
  const changes = boundedMap<number>({ max: MAX_COMPANIES, maxAgeMs: KEPT_MS, now });
  async function changedAtMs(grantId: string): Promise<number | undefined> {
    const company = changes.size === 0 ? undefined : (await facts.read(grantId)).company;
    return company === undefined ? undefined : changes.get(company);
  }
  const times = { now, freshMs: FRESH_MS, keptMs: KEPT_MS, changedAtMs };
  const credits = createCachedReads<Credits>(times);
  const overviews = createCachedReads<DebtOverview>(times);
  const statusCounts = createCachedReads<StatusCounts>(times);
  const lastFollowups = createCachedReads<LastFollowups>(times);

  /** @throws {UnavailableError} 429: too few reads are left to spend some on this. */
  async function spare(reserve: (limit: number) => number): Promise<void> {
    const seen = await quota.seen('read');
    if (seen === undefined || seen.left >= reserve(seen.limit)) return;
    throw quotaLow(seen.resetsAt.getTime() - now());
  }
  const spareFew = () => spare(() => SMALL_RESERVE);

  /** For figures that cost many reads: a company may not spend its share of the quota on them. */
  async function spareMany(grantId: string, kind: string, cost: number): Promise<void> {
    await spare((limit) => Math.max(RESERVE, limit * RESERVE_SHARE));
    const limit = quota.limit('read');
    if (limit === undefined) return;
    const most = Math.max(1, Math.floor((limit.most * FIGURES_SHARE) / cost));
    const { company: owner = grantId } = await facts.read(grantId);
    const consumed = await limits
      .consume('share', `${kind}:${owner}`, { most, windowMs: limit.windowMs })
      .catch((error: unknown) => {
        if (!(error instanceof StorageError)) throw error;
        return undefined;
      });
    if (consumed?.granted === false) throw quotaLow(consumed.resetInMs);
  }

  return {
    credits: (grantId, client) =>
      inTime(
        credits.get(grantId, async () => {
          await spareFew();
          return await client.credits();
        }),
      ),
    overview: (grantId, client) =>
      inTime(
        overviews.get(grantId, async () => {
          await spareFew();
          return await readOverview(client, { todayMs: Math.floor(now() / DAY_MS) * DAY_MS });
        }),
      ),
    statusCounts(grantId, client, { overview, statuses }) {
      const wanted = [...statuses, ...overview.ownStatuses];
      const load = async (): Promise<StatusCounts> => {
        if (overview.counts !== undefined) return { counts: overview.counts, uncounted: [] };
        await spareMany(grantId, 'counts', wanted.length);
        return await countStatuses(client, wanted);
      };
      return inTime(statusCounts.get(grantId, load, ({ uncounted }) => uncounted.length === 0));
    },
    lastFollowups(grantId, client, debts) {
      const ids = debts.map(({ id }) => id);
      const load = async (): Promise<LastFollowups> => {
        await spareMany(grantId, 'followups', NEWEST);
        return await readLastFollowups(client, debts, now());
      };
      return inTime(lastFollowups.get(grantId, load, (known) => ids.every((id) => known.has(id))));
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

async function readOverview(
  client: GetbillClient,
  { todayMs }: { todayMs: number },
): Promise<DebtOverview> {
  const first = await client.debts({ page: 1, limit: PER_PAGE });
  const { total, pages } = first.pagination;
  const last = pages > 1 ? await client.debts({ page: pages, limit: PER_PAGE }) : undefined;
  const debts = [...first.items, ...(last?.items ?? [])];
  const counts = new Map<string, number>();
  for (const debt of debts) {
    const status = textOf(fieldOf(debt, 'status')) ?? '';
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  const importedAtMs = (debt: Debt): number => {
    const value = fieldOf(debt, 'import_date');
    return (instantOf(value) ?? dayOf(value))?.getTime() ?? 0;
  };
  const open = debts.filter((debt) => !isEnded(fieldOf(debt, 'status')));
  const isLate = (debt: Debt): boolean => {
    const due = dayOf(fieldOf(debt, 'due_date'));
    return due !== undefined && due.getTime() < todayMs;
  };
  const ownStatuses = [...counts.keys()].filter((status) => /^status\.(?!default\.)/.test(status));
  return {
    total,
    looked: debts.length,
    newest: debts.toSorted((a, b) => importedAtMs(b) - importedAtMs(a)).slice(0, NEWEST),
    open: open.length,
    overdue: open.filter(isLate).length,
    ownStatuses: ownStatuses.slice(0, MAX_OWN_STATUSES),
    counts: debts.length === total ? counts : undefined,
  };
}

/** One small read per status: the number is in its `pagination.total`. One that fails is left out. */
async function countStatuses(
  client: GetbillClient,
  statuses: readonly string[],
): Promise<StatusCounts> {
  const counts = new Map<string, number>();
  const failures = await eachOf(statuses, async (status) => {
    const { pagination } = await client.debts({ status, limit: 1 });
    counts.set(status, pagination.total);
  });
  if (counts.size === 0 && failures[0] !== undefined) throw failures[0];
  return { counts, uncounted: statuses.filter((status) => !counts.has(status)) };
}

async function readLastFollowups(
  client: GetbillClient,
  debts: readonly Debt[],
  nowMs: number,
): Promise<LastFollowups> {
  const last = new Map<string, Followup | undefined>();
  const failures = await eachOf(debts, async (debt) => {
    const isNone = numberOf(fieldOf(debt, 'followups_count')) === 0;
    const items = isNone ? [] : (await client.followupsOfDebt(debt.id, { limit: PER_PAGE })).items;
    last.set(debt.id, latestOf(items, nowMs));
  });
  if (last.size === 0 && failures[0] !== undefined) throw failures[0];
  return last;
}

/** When a follow-up happened, else when it is planned. */
export function followupAt(followup: unknown): unknown {
  const values = ['call_date', 'processed_at', 'scheduled_at'].map((name) =>
    fieldOf(followup, name),
  );
  return values.find((value) => textOf(value) !== undefined);
}

function latestOf(followups: readonly Followup[], nowMs: number): Followup | undefined {
  const atMs = (followup: Followup): number => {
    const value = followupAt(followup);
    return (instantOf(value) ?? dayOf(value))?.getTime() ?? 0;
  };
  const past = followups.filter((followup) => atMs(followup) <= nowMs);
  const all = past.length > 0 ? past : followups;
  return all.toSorted((a, b) => atMs(b) - atMs(a))[0];
}

/**
 * A few at once. One that fails costs itself alone; after a 429, a timeout or a third failure, and at
 * the end of the session, no more are started.
 */
async function eachOf<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<AppError[]> {
  const failures: AppError[] = [];
  const left = [...items];
  let fatal: AppError | undefined;
  async function next(): Promise<void> {
    for (let item = left.shift(); item !== undefined; item = left.shift()) {
      try {
        await work(item);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        failures.push(error);
        if (error.status === 401 || error.status === 403) fatal = error;
        const isSlow = error.status === 429 || error.status === 504;
        if (fatal !== undefined || isSlow || failures.length >= 3) left.length = 0;
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  if (fatal !== undefined) throw fatal;
  return failures;
}

function inTime<Value>(reading: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const options = { code: 'getbill_timeout', status: 504 };
      reject(new UnavailableError('GetBill is slow: the page goes without', options));
    }, DEADLINE_MS);
  });
  return Promise.race([reading, late]).finally(() => clearTimeout(timer));
}

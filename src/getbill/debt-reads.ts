import { AppError, UnavailableError } from '../errors.js';
import type { GetbillClient } from './client.js';
import { dayOf, timeOf } from './dates.js';
import { isEnded } from './debt-statuses.js';
import { followupAtMs } from './followup-values.js';
import { MAX_PER_PAGE } from './pagination.js';
import type { Debt, Followup } from './types.js';
import { fieldOf, numberOf, textOf } from './values.js';

/** How many of the newest debts the dashboard shows, each with its last follow-up. */
export const NEWEST = 5;
const MAX_OWN_STATUSES = 4;
/** Reads under way at the same time. */
const AT_ONCE = 3;

/**
 * A company's debts as far as the first and the last page of its list show them: GetBill's API
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

export async function readOverview(
  client: GetbillClient,
  { todayMs }: { todayMs: number },
): Promise<DebtOverview> {
  const first = await client.debts({ page: 1, limit: MAX_PER_PAGE });
  const { total, pages } = first.pagination;
  const last = pages > 1 ? await client.debts({ page: pages, limit: MAX_PER_PAGE }) : undefined;
  const debts = [...first.items, ...(last?.items ?? [])];
  const counts = new Map<string, number>();
  for (const debt of debts) {
    const status = textOf(fieldOf(debt, 'status')) ?? '';
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  const importedAtMs = (debt: Debt): number => timeOf(fieldOf(debt, 'import_date'));
  const open = debts.filter((debt) => !isEnded(fieldOf(debt, 'status')));
  const isLate = (debt: Debt): boolean => {
    const due = dayOf(fieldOf(debt, 'due_date'));
    return due !== undefined && due.getTime() < todayMs;
  };
  const ownStatuses = [...counts.keys()].filter((status) => /^status\.(?!default\.)/.test(status));
  return {
    total: Math.max(total, debts.length),
    looked: debts.length,
    newest: debts.toSorted((a, b) => importedAtMs(b) - importedAtMs(a)).slice(0, NEWEST),
    open: open.length,
    overdue: open.filter(isLate).length,
    ownStatuses: ownStatuses.slice(0, MAX_OWN_STATUSES),
    counts: debts.length >= total ? counts : undefined,
  };
}

/** One small read per status, for its `pagination.total`. One that fails is left out. */
export async function countStatuses(
  client: GetbillClient,
  statuses: readonly string[],
): Promise<StatusCounts> {
  const counts = new Map<string, number>();
  const failures = await eachOf(statuses, async (status) => {
    const { items, pagination } = await client.debts({ status, limit: 1 });
    if (items.some((debt) => (textOf(fieldOf(debt, 'status')) ?? status) !== status))
      throw filterIgnored();
    counts.set(status, pagination.total);
  });
  if (counts.size === 0 && failures[0] !== undefined) throw failures[0];
  return { counts, uncounted: statuses.filter((status) => !counts.has(status)) };
}

/** A filter that GetBill ignores: the total is that of all debts. */
const filterIgnored = (): UnavailableError =>
  new UnavailableError('the API lists debts of another status than was asked for', {
    code: 'answer_unexpected_shape',
    status: 502,
  });

export async function readLastFollowups(
  client: GetbillClient,
  debts: readonly Debt[],
  nowMs: number,
): Promise<LastFollowups> {
  const last = new Map<string, Followup | undefined>();
  const failures = await eachOf(debts, async (debt) => {
    const isNone = numberOf(fieldOf(debt, 'followups_count')) === 0;
    const id = textOf(fieldOf(debt, 'id')) ?? '';
    const items = isNone ? [] : (await client.followupsOfDebt(id, { limit: MAX_PER_PAGE })).items;
    last.set(debt.id, latestOf(items, nowMs));
  });
  if (last.size === 0 && failures[0] !== undefined) throw failures[0];
  return last;
}

function latestOf(followups: readonly Followup[], nowMs: number): Followup | undefined {
  const past = followups.filter((followup) => followupAtMs(followup) <= nowMs);
  const all = past.length > 0 ? past : followups;
  return all.toSorted((a, b) => followupAtMs(b) - followupAtMs(a))[0];
}

/**
 * Works on a few at once. A failure costs only its own item; after a 429, a timeout or a third
 * failure, and at the end of the session, no more are started.
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

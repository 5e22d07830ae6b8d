import type { WalkOptions } from '../../getbill/pagination.js';
import { numberOf } from '../../getbill/values.js';
import type { Client } from '../resources.js';
import type { Entry, ReportFile } from './report.js';

/** Of the unknown debts that were looked for, those that are still unknown. */
export interface LookedUp {
  /** GetBill has no debt of that `internal_id`. */
  readonly notFound: ReadonlySet<Entry>;
  /** GetBill has one with another amount or currency. Is it the same? A person must tell. */
  readonly different: ReadonlySet<Entry>;
}

export const NOT_LOOKED_UP: LookedUp = { notFound: new Set(), different: new Set() };

/**
 * Looks for the unknown debts among those that GetBill has, by `internal_id`, which should be
 * unique in a company, and marks those that are there as created. GetBill documents no filter by
 * it, so it is a walk over the list, which `stopping` ends with an `AbortError`.
 */
export async function lookUpUnknown(
  client: Pick<Client, 'all' | 'debts'>,
  file: ReportFile,
  { stopping, ...walk }: { stopping: AbortSignal } & Pick<WalkOptions, 'maxWaitMs' | 'onWait'>,
): Promise<LookedUp> {
  const wanted = new Map<string, Entry>();
  for (const entry of file.report.entries) {
    const { internal_id: id } = entry.debt;
    if (entry.state === 'unknown' && typeof id === 'string' && id !== '') wanted.set(id, entry);
  }
  if (wanted.size === 0) return NOT_LOOKED_UP;
  const different = new Set<Entry>();
  const options = { ...walk, signal: stopping };
  for await (const debt of client.all((request) => client.debts(request), options)) {
    stopping.throwIfAborted();
    const id = idOf(debt);
    const entry = wanted.get(id);
    if (entry === undefined) continue;
    different.add(entry);
    if (!isSame(entry.debt, debt)) continue; // the one that was sent may come further down
    Object.assign(entry, { state: 'created', debt_id: debt.id });
    wanted.delete(id);
    different.delete(entry);
    file.save();
    if (wanted.size === 0) break;
  }
  const notFound = [...wanted.values()].filter((entry) => !different.has(entry));
  return { notFound: new Set(notFound), different };
}

const idOf = ({ internal_id: id }: Record<string, unknown>): string =>
  typeof id === 'string' || typeof id === 'number' ? String(id) : ''; // '' is nobody's

const isSame = (sent: Entry['debt'], found: { amount: unknown; currency: unknown }): boolean =>
  numberOf(found.amount) === numberOf(sent['amount']) && found.currency === sent['currency'];

import type { WalkOptions } from '../../getbill/pagination.js';
import { numberOf } from '../../getbill/values.js';
import type { Client } from '../resources.js';
import type { Entry, ReportFile } from './report.js';

/**
 * Looks for the unknown debts among those that GetBill has, by `internal_id`, which should be unique in a company, and
 * marks those that are there as created. @returns those that are not. GetBill documents no filter by it, so it is a walk over the list.
 */
export async function lookUpUnknown(
  client: Pick<Client, 'all' | 'debts'>,
  file: ReportFile,
  { stopping, ...walk }: { stopping: AbortSignal } & Pick<WalkOptions, 'maxWaitMs' | 'onWait'>,
): Promise<ReadonlySet<Entry>> {
  const wanted = new Map<string, Entry>();
  for (const entry of file.report.entries) {
    const { internal_id: id } = entry.debt;
    if (entry.state === 'unknown' && typeof id === 'string' && id !== '') wanted.set(id, entry);
  }
  if (wanted.size === 0) return new Set();
  for await (const debt of client.all((request) => client.debts(request), walk)) {
    if (stopping.aborted) return new Set();
    const entry = wanted.get(String(debt['internal_id']));
    if (entry === undefined || !isSame(entry.debt, debt)) continue;
    Object.assign(entry, { state: 'created', debt_id: debt.id });
    wanted.delete(String(debt['internal_id']));
    file.save();
    if (wanted.size === 0) break;
  }
  return new Set(wanted.values());
}

/** Another debt of the same `internal_id` is not the one that was sent. */
const isSame = (sent: Entry['debt'], found: { amount: unknown; currency: unknown }): boolean =>
  numberOf(found.amount) === sent['amount'] && found.currency === sent['currency'];

import { InvalidInputError } from '../../errors.js';
import { inputFaults } from '../../getbill/check-input.js';
import { isRecord } from '../../getbill/values.js';
import type { Entry, Report } from './report.js';

/** More would be slow to write before every call; several files do it. */
const MAX_DEBTS = 10_000;
const MAX_FAULTS = 20;
const MAY_BE_THERE = new Set<Entry['state']>(['created', 'unknown']);

/** A list of debts, or the body of `POST /debts/batch`; `undefined`: one debt. */
export function manyDebtsOf(json: unknown): Record<string, unknown> | undefined {
  if (Array.isArray(json)) return { debts: json as unknown[] };
  return isRecord(json) && Array.isArray(json['debts']) ? json : undefined;
}

/** Checks every debt before the first one is sent. @throws {InvalidInputError} */
export function entriesOf(body: Record<string, unknown>): Omit<Report, 'about'> {
  const { debts, ...batch } = body as { debts: unknown[] };
  const faults = faultsOf(debts);
  for (const [field, texts] of Object.entries(inputFaults('newDebts', { ...batch, debts: [{}] })))
    if (!field.startsWith('debts')) faults.set(field, texts);
  if (debts.length === 0) faults.set('debts', ['there is no debt in it']);
  if (debts.length > MAX_DEBTS)
    faults.set('debts', [`at most ${MAX_DEBTS} in one file: cut it into several`]);
  throwSome(faults);
  const entries = (debts as Entry['debt'][]).map((debt): Entry => ({ state: 'not_sent', debt }));
  return { ...(batch as Omit<Report, 'entries'>), entries };
}

/** Debts of a report may have been corrected by hand. @throws {InvalidInputError} */
export function assertEntries(entries: readonly Entry[], states: readonly Entry['state'][]): void {
  const isDue = ({ state }: Entry): boolean => states.includes(state);
  const sent = entries.filter((entry) => !isDue(entry) && MAY_BE_THERE.has(entry.state));
  const due = entries.map((entry) => (isDue(entry) ? entry.debt : undefined));
  throwSome(faultsOf(due, sent));
}

/** By field, "3.amount" in the fourth debt; skips `undefined`. None may have an id of `sent`. */
function faultsOf(debts: readonly unknown[], sent: readonly Entry[] = []): Map<string, string[]> {
  const faults = new Map<string, string[]>();
  const sentIds = sent.map(({ debt }) => debt['internal_id']);
  const ids = { temp_id: new Set<unknown>(), internal_id: new Set(sentIds) };
  debts.forEach((debt, index) => {
    if (debt === undefined) return;
    for (const [field, texts] of Object.entries(inputFaults('batchDebt', debt)))
      faults.set(field === '' ? String(index) : `${index}.${field}`, texts);
    for (const [name, seen] of Object.entries(ids)) {
      const id = isRecord(debt) ? debt[name] : undefined;
      if (id === undefined || id === null || id === '') continue;
      if (seen.has(id)) faults.set(`${index}.${name}`, ['is there twice, and should be unique']);
      seen.add(id);
    }
  });
  return faults;
}

function throwSome(faults: ReadonlyMap<string, string[]>): void {
  if (faults.size === 0) return;
  const shown = Object.fromEntries([...faults].slice(0, MAX_FAULTS));
  const rest = faults.size - MAX_FAULTS;
  throw new InvalidInputError(rest > 0 ? { ...shown, '...': [`and ${rest} more`] } : shown);
}

import { exitCodeOf, exitCodes } from '../exit-codes.js';
import { isRecord, textOf } from '../../getbill/values.js';
import { quoted } from '../output.js';
import type { Row } from '../tables.js';
import { counted } from '../totals.js';
import type { LookedUp } from './look-up.js';
import type { Entry, ReportFile, State } from './report.js';

const WORDS: Readonly<Record<State, string>> = {
  created: 'created',
  failed: 'failed',
  skipped: 'skipped',
  unknown: 'unknown',
  not_sent: 'not sent',
};

/** Of an unknown entry: GetBill has its internal_id, with another amount or currency. */
const DIFFERENT = 'there, with other values';

const countOf = (entries: readonly Entry[], state: State): number =>
  entries.filter((entry) => entry.state === state).length;

/** A line per entry, counted from 0 as in the file; without the debt itself. */
export const rowsOf = (
  { report }: ReportFile,
  { different }: LookedUp,
): (Row & { state: State })[] =>
  report.entries.map((entry, index) => ({
    entry: index,
    state: entry.state,
    internal_id: entry.debt['internal_id'] ?? null,
    debt_id: entry.debt_id ?? null,
    errors: entry.errors ?? (different.has(entry) ? { internal_id: [DIFFERENT] } : null),
  }));

/** Failed and unknown entries, for people: neighbours with the same outcome share a line. */
export function problemsOf({ report: { entries } }: ReportFile, { different }: LookedUp): Row[] {
  const lines: { first: number; last: number; state: State; why: string }[] = [];
  const whyUnknown = (entry: Entry): string =>
    different.has(entry) ? `internal_id: ${DIFFERENT}` : 'sent, without a response';
  entries.forEach((entry, index) => {
    const { state, errors } = entry;
    if (state !== 'failed' && state !== 'unknown') return;
    const why = state === 'failed' ? textOfErrors(errors) : whyUnknown(entry);
    const line = lines.at(-1);
    if (line?.last === index - 1 && line.state === state && line.why === why) line.last = index;
    else lines.push({ first: index, last: index, state, why });
  });
  return lines.map(({ first, last, state, why }) => ({
    entry: first === last ? first : `${first} to ${last}`,
    state,
    why,
  }));
}

/** GetBill's errors of a row: texts, a list of them, or lists by field. */
function textOfErrors(errors: unknown): string {
  if (Array.isArray(errors)) return errors.map(textOfErrors).join('; ');
  if (!isRecord(errors)) return textOf(errors) ?? '';
  const texts = Object.entries(errors).map(([field, value]) =>
    field === 'batch' || field === '' ? textOfErrors(value) : `${field}: ${textOfErrors(value)}`,
  );
  return texts.join('; ');
}

/** The outcome and the next steps. */
export function summaryOf({ path, report: { entries } }: ReportFile, lookedUp: LookedUp): string {
  const states = Object.keys(WORDS) as State[];
  const counts = states
    .map((state) => [countOf(entries, state), WORDS[state]] as const)
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`);
  const lines = [`${counted(entries.length, 'debt')}: ${counts.join(', ')}`, `report: ${path}`];
  const resume = `debts create --resume ${quoted(path)}`;
  if (countOf(entries, 'failed') > 0) {
    lines.push('failed: correct "debt" of each of them in the report, then', `  ${resume}`);
    if (entries.some(isRefusedAsWhole))
      lines.push('  (with --batch-size 1 where a whole batch was refused: it says by which debt)');
  }
  if (countOf(entries, 'not_sent') > 0) lines.push('not sent: to go on', `  ${resume}`);
  return [...lines, ...aboutUnknown(entries, resume, lookedUp)].join('\n');
}

const isRefusedAsWhole = ({ state, errors }: Entry): boolean =>
  state === 'failed' && typeof errors === 'object' && errors !== null && 'batch' in errors;

/** What a look-up found decides what can be done. */
function aboutUnknown(
  entries: readonly Entry[],
  resume: string,
  { notFound, different }: LookedUp,
): string[] {
  const unknown = entries.filter(({ state }) => state === 'unknown');
  const others = unknown.filter((entry) => !different.has(entry));
  const lines = aboutDifferent(unknown.length - others.length);
  if (others.length === 0) return lines;
  const isAbsent = others.every((entry) => notFound.has(entry));
  return [...lines, ...(isAbsent ? aboutNotFound(resume) : aboutNotLookedUp(resume, others))];
}

function aboutDifferent(count: number): string[] {
  if (count === 0) return [];
  return [
    `unknown: of ${count} GetBill has the internal_id, with another amount or currency. They are not sent.`,
    '  Compare them with the dashboard, then in the report: "created" as the state of a debt',
    '  that is there, or another internal_id for one that is not.',
  ];
}

const aboutNotFound = (resume: string): string[] => [
  'unknown: sent, without a response, and GetBill has no debt of that internal_id.',
  '  To send them, once you are sure:',
  `  ${resume} --send-unknown`,
];

function aboutNotLookedUp(resume: string, unknown: readonly Entry[]): string[] {
  const unnamed = unknown.filter(({ debt }) => !debt['internal_id']).length;
  return [
    'unknown: they were sent, and no response came back. GetBill may have them.',
    '  They are not sent again by themselves. To look for them by internal_id:',
    `  ${resume}`,
    ...(unnamed === 0 ? [] : [`  ${unnamed} without internal_id: look for them in the dashboard.`]),
    '  Those that GetBill does not have can then be sent:',
    `  ${resume} --send-unknown`,
  ];
}

/** The worst of it; `stopped`: why it ended before the last batch. */
export function exitCodeFor({ report: { entries } }: ReportFile, stopped: unknown): number {
  if (stopped !== undefined) return exitCodeOf(stopped);
  if (countOf(entries, 'unknown') > 0) return exitCodes.unavailable;
  return countOf(entries, 'failed') > 0 ? exitCodes.refused : exitCodes.done;
}

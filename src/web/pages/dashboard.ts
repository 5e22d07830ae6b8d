import type { Reading } from '../../getbill/cached-reads.js';
import { followupAt } from '../../getbill/followup-values.js';
import { isEnded } from '../../getbill/debt-statuses.js';
import type { DebtOverview, LastFollowups } from '../../getbill/debt-reads.js';
import type { Credits } from '../../getbill/types.js';
import { fieldOf, numberOf, textOf } from '../../getbill/values.js';
import { followupTitle } from './followups.js';
import { debtRow, type DebtRow } from './debt-row.js';
import type { DateText } from './formats.js';
import { asOf, type AsOf } from './part.js';
import type { Reader } from './reader.js';
import { statuses } from './statuses.js';

export interface CreditsView {
  readonly credits: string | undefined;
  readonly plan: string | undefined;
  readonly ends: DateText | undefined;
  readonly asOf: AsOf;
}

export function creditsView(reading: Reading<Credits>, reader: Reader): CreditsView {
  const { formats } = reader;
  const credits = numberOf(fieldOf(reading.value, 'current_credits'));
  const subscription = fieldOf(reading.value, 'subscription');
  const plan = textOf(fieldOf(subscription, 'plan'));
  const status = textOf(fieldOf(subscription, 'status'));
  return {
    credits: credits === undefined ? undefined : formats.count(credits),
    plan: plan !== undefined && status !== undefined ? `${plan}, ${status}` : (plan ?? status),
    ends: formats.date(fieldOf(subscription, 'expires_at')),
    asOf: asOf(reading, reader),
  };
}

export interface Figure {
  readonly text: string;
  readonly label: string;
  readonly note: string | undefined;
  readonly href: string | undefined;
}

export interface OverviewView {
  readonly figures: readonly Figure[];
  readonly newest: readonly DebtRow[];
  /** The meaning of "newest" here. */
  readonly newestNote: string | undefined;
  readonly asOf: AsOf;
}

/** `counts`: by status, where all of them are known. */
export function overviewView(
  reading: Reading<DebtOverview>,
  counts: ReadonlyMap<string, number> | undefined,
  reader: Reader,
): OverviewView {
  const { count } = reader.formats;
  const { total, looked, newest, open, overdue } = reading.value;
  const among = looked >= total ? undefined : `among the ${count(looked)} debts looked at`;
  const counted = (number: number) => ({
    text: among === undefined ? count(number) : `${count(number)}+`,
    note: among,
  });
  const ended = among === undefined ? undefined : countOfEnded(counts);
  // The counts are of another moment: never fewer than the debts that were seen open.
  const openFigure =
    ended === undefined
      ? counted(open)
      : { text: count(Math.max(total - ended, open)), note: 'neither paid, settled nor archived' };
  return {
    figures: [
      {
        text: count(total),
        label: total === 1 ? 'debt' : 'debts',
        note: undefined,
        href: '/debts',
      },
      { ...openFigure, label: 'open', href: undefined },
      { ...counted(overdue), label: 'overdue', href: undefined },
    ],
    newest: newest.map((debt) => debtRow(debt, reader)),
    newestNote: among && `By import date, ${among}: GetBill’s list cannot be sorted.`,
    asOf: asOf(reading, reader),
  };
}

/** `undefined` where the count of one status is not known. */
function countOfEnded(counts: ReadonlyMap<string, number> | undefined): number | undefined {
  let ended = 0;
  for (const { value } of statuses.filter((status) => isEnded(status.value))) {
    const count = counts?.get(value);
    if (count === undefined) return undefined;
    ended += count;
  }
  return ended;
}

export interface LastFollowupView {
  readonly title: string;
  readonly at: DateText | undefined;
}

/** By debt, in the order of `newest`; `undefined` where it is not known. */
export function lastFollowupViews(
  { value }: Reading<LastFollowups>,
  { newest }: DebtOverview,
  { formats }: Reader,
): (LastFollowupView | undefined)[] {
  return newest.map(({ id }) => {
    if (!value.has(id)) return undefined;
    const followup = value.get(id);
    if (followup === undefined) return { title: 'None yet', at: undefined };
    return { title: followupTitle(followup), at: formats.dayOfTime(followupAt(followup)) };
  });
}

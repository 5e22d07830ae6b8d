import type { Reading } from '../../getbill/cached-reads.js';
import {
  followupAt,
  isEnded,
  type DebtOverview,
  type LastFollowups,
  type StatusCounts,
} from '../../getbill/debt-figures.js';
import type { Credits } from '../../getbill/types.js';
import { fieldOf, numberOf, textOf } from '../../getbill/values.js';
import { followupTitle } from './debt.js';
import { debtRow, isStatus, listHref, type DebtRow } from './debt-list.js';
import type { DateText, InstantText } from './formats.js';
import { whyUnavailable } from './part.js';
import type { Reader } from './reader.js';
import { statusOf, statuses, type Status } from './statuses.js';

/** When something was read, and why it is not newer. */
export interface AsOf {
  readonly at: InstantText;
  readonly why: string | undefined;
}

const asOf = ({ readAtMs, failure }: Reading<unknown>, { formats }: Reader): AsOf => ({
  at: formats.time(new Date(readAtMs)),
  why: failure === undefined ? undefined : whyUnavailable(failure),
});

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
  /** What "newest" means here. */
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
  const isWhole = looked >= total;
  const among = isWhole ? undefined : `among the ${count(looked)} debts looked at`;
  const ended = statuses
    .filter(({ value }) => isEnded(value))
    .map(({ value }) => counts?.get(value));
  const allOpen = ended.reduce<number | undefined>(
    (left, part) => (left === undefined || part === undefined ? undefined : left - part),
    total,
  );
  const openFigure =
    isWhole || allOpen === undefined
      ? { text: atLeast(count(open), isWhole), note: among }
      : { text: count(allOpen), note: 'neither paid, settled nor archived' };
  return {
    figures: [
      {
        text: count(total),
        label: total === 1 ? 'debt' : 'debts',
        note: undefined,
        href: '/debts',
      },
      { ...openFigure, label: 'open', href: undefined },
      { text: atLeast(count(overdue), isWhole), label: 'overdue', note: among, href: undefined },
    ],
    newest: newest.map((debt) => debtRow(debt, reader)),
    newestNote: isWhole
      ? undefined
      : `By import date, among the ${count(looked)} debts looked at: GetBill’s list cannot be sorted.`,
    asOf: asOf(reading, reader),
  };
}

const atLeast = (text: string, isWhole: boolean): string => (isWhole ? text : `${text}+`);

export interface BarView {
  readonly width: number;
  readonly segments: readonly Segment[];
  /** "1 status could not be counted." */
  readonly note: string | undefined;
  readonly asOf: AsOf;
}

export interface Segment {
  readonly label: string;
  readonly href: string;
  readonly colour: Status['colour'];
  /** Tells neighbours of one colour apart. */
  readonly tint: 1 | 2 | 3;
  readonly count: string;
  readonly share: string;
  readonly x: number;
  readonly width: number;
}

const BAR_WIDTH = 1000;
const MIN_WIDTH = 5;
const GAP = 3;

/** The bar of debts by status, in the order of a debt's life. Statuses without debts are left out. */
export function barView(
  reading: Reading<StatusCounts>,
  { total }: DebtOverview,
  reader: Reader,
): BarView {
  const { counts, uncounted } = reading.value;
  const order = [...statuses.map(({ value }) => value), ...counts.keys()];
  const counted = [...new Set(order)]
    .map((value) => ({ value, count: counts.get(value) ?? 0 }))
    .filter(({ count }) => count > 0);
  const sum = counted.reduce((all, { count }) => all + count, 0);
  const rest = uncounted.length === 0 ? Math.max(0, total - sum) : 0;
  const entries = counted.map(({ value, count }) => ({
    ...statusOf(value),
    href: isStatus(value) ? listHref({ status: value }) : '/debts',
    count,
  }));
  if (rest > 0)
    entries.push({
      value: '',
      label: 'Other statuses',
      colour: 'none',
      href: '/debts',
      count: rest,
    });
  return {
    width: BAR_WIDTH,
    segments: placed(entries, reader),
    note: uncountedText(uncounted.length),
    asOf: asOf(reading, reader),
  };
}

function placed(
  entries: readonly (Status & { href: string; count: number })[],
  { formats }: Reader,
): Segment[] {
  const sum = entries.reduce((all, { count }) => all + count, 0);
  const room = BAR_WIDTH - entries.length * (MIN_WIDTH + GAP) + GAP;
  const tints = new Map<string, number>();
  let x = 0;
  return entries.map(({ label, href, colour, count }) => {
    const tint = tints.get(colour) ?? 0;
    tints.set(colour, tint + 1);
    const width = Math.round((MIN_WIDTH + (room * count) / sum) * 10) / 10;
    const segment: Segment = {
      label: label === '' ? 'No status given' : label,
      href,
      colour,
      tint: ((tint % 3) + 1) as 1 | 2 | 3,
      count: formats.count(count),
      share: `${Math.round((100 * count) / sum)} %`,
      x: Math.round(x * 10) / 10,
      width,
    };
    x += width + GAP;
    return segment;
  });
}

function uncountedText(uncounted: number): string | undefined {
  if (uncounted === 0) return undefined;
  const what = uncounted === 1 ? '1 status' : `${uncounted} statuses`;
  return `${what} could not be counted right now.`;
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
    return { title: followupTitle(followup), at: formats.date(followupAt(followup)) };
  });
}

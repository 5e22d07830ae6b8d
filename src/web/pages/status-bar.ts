import type { Reading } from '../../getbill/cached-reads.js';
import type { DebtOverview, StatusCounts } from '../../getbill/debt-reads.js';
import { isStatus, listHref } from './list-place.js';
import { asOf, type AsOf } from './part.js';
import type { Reader } from './reader.js';
import { statusOf, statuses, type Status } from './statuses.js';

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

/**
 * The bar of debts by status, in the order of a debt's life. Statuses without debts are left out.
 */
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

import type { Formats } from './formats.js';
import { isStatus, listHref, type ListPlace } from './list-place.js';
import { statusOf, statuses, type Status } from './statuses.js';

export interface StatusFilter {
  readonly current: string;
  readonly links: readonly StatusLink[];
}

interface StatusLink {
  readonly href: string;
  readonly label: string;
  readonly isCurrent: boolean;
  readonly colour: Status['colour'] | undefined;
  /** Missing while it is not known. */
  readonly count: string | undefined;
}

/**
 * `counts`: as the dashboard has counted them lately. Statuses of the company's own are in the list
 * when one was counted, is on the page or is chosen.
 */
export function statusFilter(
  { status, limit }: ListPlace,
  {
    counts = new Map(),
    seen,
    formats,
  }: {
    counts: ReadonlyMap<string, number> | undefined;
    seen: readonly string[];
    formats: Formats;
  },
): StatusFilter {
  const known = new Set(statuses.map(({ value }) => value));
  const own = [...counts.keys(), ...seen, status].filter(
    (value) => isStatus(value) && !known.has(value),
  );
  const all = [...statuses, ...[...new Set(own)].map((value) => statusOf(value))];
  const links = all.map(({ value, label, colour }): StatusLink => {
    const count = counts.get(value);
    return {
      href: listHref({ status: value, limit }),
      label,
      colour,
      isCurrent: value === status,
      count: count === undefined ? undefined : formats.count(count),
    };
  });
  const everything: StatusLink = {
    href: listHref({ limit }),
    label: 'All',
    isCurrent: status === '',
    colour: undefined,
    count: undefined,
  };
  return {
    current: status === '' ? 'All' : statusOf(status).label,
    links: [everything, ...links],
  };
}

import { shareOfLimit } from '../../getbill/shares.js';
import type { Formats } from './formats.js';

/** One limit of GetBill's as a meter; below a tenth it is low. */
export function quotaView(
  label: string,
  known: { left: number; limit: number; resetsAt: Date } | undefined,
  formats: Formats,
) {
  if (known === undefined) return undefined;
  const { left, limit, resetsAt } = known;
  return {
    label,
    left,
    limit,
    low: limit / 10,
    leftText: formats.count(left),
    limitText: formats.count(limit),
    shareText: formats.count(shareOfLimit(limit)),
    resetsAt: formats.instant(resetsAt),
  };
}

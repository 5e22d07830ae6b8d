import { countText, instantText } from './formats.js';

/** One limit of GetBill's as a meter; below a tenth it is low. */
export function quotaView(label: string, seen: { left: number; limit: number; resetsAt: Date } | undefined) {
  if (seen === undefined) return undefined;
  const { left, limit, resetsAt } = seen;
  return {
    label,
    left,
    limit,
    low: limit / 10,
    leftText: countText(left),
    limitText: countText(limit),
    resetsAt: instantText(resetsAt),
  };
}

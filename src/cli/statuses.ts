import { debtStatuses, STATUS_PREFIX } from '../getbill/debt-statuses.js';

const shortNames: readonly string[] = debtStatuses;

/** The status of a short name: `paid` is `status.default.paid`. Any other text stays as it is. */
export const statusFrom = (text: string): string => {
  const short = text
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');
  return shortNames.includes(short) ? `${STATUS_PREFIX}${short}` : text;
};

/** For an empty list; `undefined` for a status of GetBill's own. A company may have others. */
export function unknownStatus(text: string): string | undefined {
  if (shortNames.some((short) => statusFrom(text) === `${STATUS_PREFIX}${short}`)) return undefined;
  return `no debt has the status "${text}"; GetBill's own are ${shortNames.join(', ')}`;
}

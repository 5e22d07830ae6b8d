const LOCALE = 'en-GB';
const dateTimeFormat = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
const dateFormat = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeZone: 'UTC' });

/** For the views. What cannot be read as what it should be is shown as it came. Times are UTC, and say so. */
export const formats = {
  dateTime(value: Date | string): string {
    const instant = instantOf(value);
    return instant === undefined ? String(value) : `${dateTimeFormat.format(instant)} UTC`;
  },
  date(value: Date | string): string {
    const instant = instantOf(value);
    return instant === undefined ? String(value) : dateFormat.format(instant);
  },
  money(amount: unknown, currency: unknown): string {
    if (typeof amount !== 'number' || typeof currency !== 'string') return 'Not given';
    try {
      return new Intl.NumberFormat(LOCALE, { style: 'currency', currency }).format(amount);
    } catch {
      return `${amount} ${currency}`; // a currency Intl does not know
    }
  },
};

/** GetBill writes instants in three ways: with an offset, with "Z", and "2024-01-15 10:30:00" without a zone (taken as UTC). */
function instantOf(value: Date | string): Date | undefined {
  const instant = typeof value === 'string' ? new Date(value.replace(/^(\S+) (\S+)$/, '$1T$2Z')) : value;
  return Number.isNaN(instant.getTime()) ? undefined : instant;
}

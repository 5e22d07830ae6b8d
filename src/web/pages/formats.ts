import { numberOf, textOf } from '../../getbill/values.js';

const LOCALE = 'en-GB';
const dateTimeFormat = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
const dateFormat = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeZone: 'UTC' });

/** A date of GetBill's for `<time>`. What cannot be read as a date is shown as it came: then `iso` is missing. */
export interface DateText {
  readonly text: string;
  readonly iso?: string;
}

/** Times are UTC, and say so. */
export const instantText = (instant: Date): { text: string; iso: string } => ({
  text: `${dateTimeFormat.format(instant)} UTC`,
  iso: instant.toISOString(),
});

/** A point in time of GetBill's; a day without a time is shown as a day. */
function dateTimeText(value: unknown): DateText | undefined {
  const read = readDate(value);
  if (read?.instant === undefined) return dateText(value);
  return instantText(read.instant);
}

/** A day, as it was written: in the zone of the writer. */
function dateText(value: unknown): DateText | undefined {
  const text = textOf(value);
  if (text === undefined) return undefined;
  const read = readDate(value);
  return read === undefined
    ? { text }
    : { text: dateFormat.format(read.day), iso: read.day.toISOString().slice(0, 10) };
}

// GetBill writes "2024-01-15", "2024-01-15T10:30:00+00:00", "...Z" and "2024-01-15 10:30:00".
const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/i;

/**
 * The parts are read one by one: `Date.parse` takes a time without a zone for the server's, and 30 February for 1 March. A
 * time without a zone is UTC, as all others of GetBill's are.
 */
function readDate(value: unknown): { day: Date; instant: Date | undefined } | undefined {
  const [, year, month, date, hour, minute, second = '0', zone = 'Z'] = DATE.exec(textOf(value) ?? '') ?? [];
  const day = new Date(Date.UTC(Number(year), Number(month) - 1, Number(date)));
  const isDay = day.getUTCFullYear() === Number(year) && day.getUTCMonth() === Number(month) - 1;
  if (!isDay || day.getUTCDate() !== Number(date)) return undefined;
  if (hour === undefined) return { day, instant: undefined };
  const [hours, minutes, seconds, offset] = [Number(hour), Number(minute), Number(second), minutesOf(zone)];
  if (hours > 23 || minutes > 59 || seconds > 59 || Math.abs(offset) > 18 * 60) return undefined;
  const ms = ((hours * 60 + minutes - offset) * 60 + seconds) * 1000;
  return { day, instant: new Date(day.getTime() + ms) };
}

/** "+02:00" as minutes east. */
function minutesOf(zone: string): number {
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? [];
  return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
}

/** `undefined` when there is no amount. */
function moneyText(amount: unknown, currency: unknown, amountText?: unknown): string | undefined {
  const numeric = [amount, amountText].find((value) => numberOf(value) !== undefined) as number | string | undefined;
  const code = textOf(currency);
  if (numeric !== undefined && code !== undefined) {
    try {
      const format = new Intl.NumberFormat(LOCALE, { style: 'currency', currency: code });
      return format.format(numeric as number); // exact for text as well
    } catch {
      return `${numeric} ${code}`; // a currency Intl does not know
    }
  }
  const asItCame = textOf(amountText) ?? textOf(amount);
  return asItCame === undefined ? undefined : [asItCame, code].filter(Boolean).join(' ');
}

/** A count with thousands set apart. */
export const countText = (count: number): string => count.toLocaleString('en');

/** "a minute", "12 minutes", "3 hours": until something can be tried again. */
export function waitText(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  if (minutes <= 1) return 'a minute';
  return minutes < 120 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`;
}

/** What views show of GetBill's values. */
export const formats = { date: dateText, dateTime: dateTimeText, money: moneyText };

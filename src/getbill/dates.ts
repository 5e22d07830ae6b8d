import { textOf } from './values.js';

// GetBill writes "2024-01-15", "2024-01-15T10:30:00+00:00", "...Z" and "2024-01-15 10:30:00".
const DATE =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/i;

/** The day of a date, as it was written, as midnight UTC. */
export const dayOf = (value: unknown): Date | undefined => readDate(value)?.day;

/** The point in time; `undefined` for a day without a time. */
export const instantOf = (value: unknown): Date | undefined => readDate(value)?.instant;

/** Epoch milliseconds: the point in time, else the day; 0 for anything that is no date. */
export const timeOf = (value: unknown): number => {
  const read = readDate(value);
  return (read?.instant ?? read?.day)?.getTime() ?? 0;
};

/**
 * The parts are read one by one: `Date.parse` takes a time without a zone for the server's, and 30
 * February for 1 March. A time without a zone is UTC, as all others of GetBill's are.
 */
function readDate(value: unknown): { day: Date; instant: Date | undefined } | undefined {
  const [, year, month, date, hour, minute, second = '0', zone = 'Z'] =
    DATE.exec(textOf(value) ?? '') ?? [];
  const day = new Date(Date.UTC(Number(year), Number(month) - 1, Number(date)));
  const isDay = day.getUTCFullYear() === Number(year) && day.getUTCMonth() === Number(month) - 1;
  if (!isDay || day.getUTCDate() !== Number(date)) return undefined;
  if (hour === undefined) return { day, instant: undefined };
  const [hours, minutes, seconds, offset] = [
    Number(hour),
    Number(minute),
    Number(second),
    minutesOf(zone),
  ];
  if (hours > 23 || minutes > 59 || seconds > 59 || Math.abs(offset) > 18 * 60) return undefined;
  const ms = ((hours * 60 + minutes - offset) * 60 + seconds) * 1000;
  return { day, instant: new Date(day.getTime() + ms) };
}

/** "+02:00" as minutes east. */
function minutesOf(zone: string): number {
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? [];
  return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
}

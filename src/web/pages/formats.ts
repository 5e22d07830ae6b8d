import { boundedMap } from '../../limits/bounded-map.js';
import { dayOf, instantOf } from '../../getbill/dates.js';
import { numberOf, textOf } from '../../getbill/values.js';

/** A date of GetBill's for `<time>`. Unparseable dates are shown unchanged, without `iso`. */
export interface DateText {
  readonly text: string;
  readonly iso?: string;
}

export interface InstantText {
  readonly text: string;
  readonly iso: string;
}

/** How a reader writes numbers and dates. The words of the pages are English for everybody. */
export interface Formats {
  readonly locale: string;
  /** A day as GetBill wrote it, whatever the reader's zone. */
  date(value: unknown): DateText | undefined;
  /** The day of a point in time; the browser shows it in the reader's zone. */
  dayOfTime(value: unknown): DateText | undefined;
  /** A point in time; a day without a time is shown as a day. */
  dateTime(value: unknown): DateText | undefined;
  /** A point in time of ours, in UTC. */
  instant(instant: Date): InstantText;
  /** The time of day alone. */
  time(instant: Date): InstantText;
  /** The time of day to the second. */
  seconds(instant: Date): InstantText;
  /** `undefined` when there is no amount. */
  money(amount: unknown, currency: unknown, amountText?: unknown): string | undefined;
  /** A count with thousands set apart. */
  readonly count: (count: number) => string;
}

const MAX_CURRENCIES = 20;

function createFormats(locale: string): Formats {
  const timeZone = 'UTC';
  const dateFormat = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone });
  const timeFormat = new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone });
  const dateTimeFormat = new Intl.DateTimeFormat(locale, {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone,
  });
  const secondsFormat = new Intl.DateTimeFormat(locale, { timeStyle: 'medium', timeZone });
  const countFormat = new Intl.NumberFormat(locale);
  /** Kept, because making one takes longer than a row of a list. @throws {RangeError} no code. */
  const moneyFormatOf = memoized(
    MAX_CURRENCIES,
    (currency) => new Intl.NumberFormat(locale, { style: 'currency', currency }),
  );

  function date(value: unknown): DateText | undefined {
    const text = textOf(value);
    if (text === undefined) return undefined;
    const day = dayOf(value);
    return day === undefined
      ? { text }
      : { text: dateFormat.format(day), iso: day.toISOString().slice(0, 10) };
  }

  const instant = (at: Date): InstantText => ({
    text: `${dateTimeFormat.format(at)} UTC`,
    iso: at.toISOString(),
  });

  function money(amount: unknown, currency: unknown, amountText?: unknown): string | undefined {
    const numeric = [amount, amountText].find((value) => numberOf(value) !== undefined);
    const code = textOf(currency);
    if (numeric !== undefined && code !== undefined) {
      try {
        return moneyFormatOf(code).format(numeric as number); // exact for text as well
      } catch {
        return `${numeric as string} ${code}`; // a currency Intl does not know
      }
    }
    const asItCame = textOf(amountText) ?? textOf(amount);
    return asItCame === undefined ? undefined : [asItCame, code].filter(Boolean).join(' ');
  }

  return {
    locale,
    date,
    dayOfTime(value) {
      const at = instantOf(value);
      return at === undefined
        ? date(value)
        : { text: dateFormat.format(at), iso: at.toISOString() };
    },
    dateTime(value) {
      const at = instantOf(value);
      return at === undefined ? date(value) : instant(at);
    },
    instant,
    time: (at) => ({ text: `${timeFormat.format(at)} UTC`, iso: at.toISOString() }),
    seconds: (at) => ({ text: `${secondsFormat.format(at)} UTC`, iso: at.toISOString() }),
    money,
    count: (count) => countFormat.format(count),
  };
}

/** For a reader who named no language. */
export const formats = createFormats('en-GB');

const MAX_LOCALES = 200;
const formatsOf = memoized(MAX_LOCALES, (locale) =>
  createFormats(`${locale}-u-ca-gregory-nu-latn`),
);

/** Keeps what `make` has made of the `max` newest keys. */
function memoized<Value>(max: number, make: (key: string) => Value): (key: string) => Value {
  const values = boundedMap<Value>({ max });
  return (key) => {
    const known = values.get(key);
    if (known !== undefined) return known;
    const made = make(key);
    values.set(key, made);
    return made;
  };
}

/**
 * The formats for an `Accept-Language`. Only language and region count: everybody gets Western
 * digits and the Gregorian calendar, because they stand between English words.
 */
export function formatsFor(languages: readonly string[]): Formats {
  for (const language of languages.slice(0, 10)) {
    const locale = plainLocale(language);
    if (locale !== undefined) return locale === 'en-GB' ? formats : formatsOf(locale);
  }
  return formats;
}

/** `undefined` for a language that Intl does not know. */
function plainLocale(tag: string): string | undefined {
  try {
    const { language, region } = new Intl.Locale(tag.slice(0, 35));
    if (language === 'en' && region === undefined) return 'en-GB';
    const locale = region === undefined ? language : `${language}-${region}`;
    return Intl.DateTimeFormat.supportedLocalesOf([locale]).length > 0 ? locale : undefined;
  } catch {
    return undefined;
  }
}

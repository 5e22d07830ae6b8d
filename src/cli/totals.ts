import { numberOf } from '../getbill/values.js';
import type { Row } from './tables.js';

export const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`;

/** "3 debts, 1200.00 EUR and 50.00 USD": added up in hundredths, so that no cent is lost. */
export function totalsOf(debts: readonly Row[]): string {
  const hundredths = new Map<string, number>();
  for (const { amount, amount_text: text, currency } of debts) {
    const value = numberOf(amount) ?? numberOf(text);
    if (value === undefined || typeof currency !== 'string') continue;
    hundredths.set(currency, (hundredths.get(currency) ?? 0) + Math.round(value * 100));
  }
  const sums = [...hundredths].map(([currency, sum]) => `${(sum / 100).toFixed(2)} ${currency}`);
  const count = counted(debts.length, 'debt');
  return sums.length === 0 ? count : `${count}, ${sums.join(' and ')}`;
}

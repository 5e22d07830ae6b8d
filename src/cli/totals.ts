import { numberOf } from '../getbill/values.js';
import type { Row } from './tables.js';

export const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`;

/** "3 debts, 1200.00 EUR and 50.00 USD". Sums thousandths, which some currencies have. */
export function totalsOf(debts: readonly Row[]): string {
  const thousandths = new Map<string, number>();
  for (const { amount, amount_text: text, currency } of debts) {
    const value = numberOf(amount) ?? numberOf(text);
    if (value === undefined || typeof currency !== 'string') continue;
    thousandths.set(currency, (thousandths.get(currency) ?? 0) + Math.round(value * 1000));
  }
  const sums = [...thousandths].map(
    ([currency, sum]) => `${(sum / 1000).toFixed(sum % 10 === 0 ? 2 : 3)} ${currency}`,
  );
  const count = counted(debts.length, 'debt');
  return sums.length === 0 ? count : `${count}, ${sums.join(' and ')}`;
}

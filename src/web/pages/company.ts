import { fieldOf, textOf } from '../../getbill/values.js';
import { formats } from './formats.js';
import type { Fact } from './debt.js';

export interface CompanyView {
  readonly name: string;
  readonly facts: readonly Fact[];
}

export function companyView(profile: unknown): CompanyView {
  const text = (name: string): string | undefined => textOf(fieldOf(profile, name));
  return {
    name: text('name') ?? 'A company without a name',
    facts: [
      { label: 'Email', text: text('email') },
      { label: 'Phone', text: text('phone') },
      { label: 'With GetBill since', text: undefined, ...formats.date(fieldOf(profile, 'created_at')) },
      { label: 'Company id', text: text('id'), isCode: true },
    ],
  };
}

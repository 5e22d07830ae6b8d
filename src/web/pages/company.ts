import { fieldOf, textOf } from '../../getbill/values.js';
import type { Reader } from './reader.js';
import { mailHref, phoneHref, type Fact } from './facts.js';

export interface CompanyView {
  readonly name: string;
  readonly facts: readonly Fact[];
}

export function companyView(profile: unknown, { formats }: Reader): CompanyView {
  const text = (name: string): string | undefined => textOf(fieldOf(profile, name));
  return {
    name: text('name') ?? 'A company without a name',
    facts: [
      { label: 'Email', text: text('email'), href: mailHref(text('email')) },
      { label: 'Phone', text: text('phone'), href: phoneHref(text('phone')) },
      {
        label: 'With GetBill since',
        text: undefined,
        ...formats.date(fieldOf(profile, 'created_at')),
      },
      { label: 'Company id', text: text('id'), isCode: true, canCopy: true },
    ],
  };
}

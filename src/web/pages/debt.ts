import type { Page } from '../../getbill/types.js';
import { fieldOf, isTrue, numberOf, textOf } from '../../getbill/values.js';
import { nameOf } from './debt-list.js';
import { countText, formats, type DateText } from './formats.js';
import { statusOf, type Status } from './statuses.js';

/** One line of a list of facts. */
export interface Fact {
  readonly label: string;
  /** Missing: "Not given". */
  readonly text: string | undefined;
  readonly iso?: string | undefined;
  readonly isCode?: boolean;
}

export interface DebtView {
  readonly name: string;
  readonly amount: string | undefined;
  readonly status: Status | undefined;
  readonly sections: readonly { readonly title: string; readonly facts: readonly Fact[] }[];
}

export interface FollowupView {
  readonly at: DateText | undefined;
  readonly title: string;
  readonly status: string | undefined;
  readonly texts: readonly string[];
  readonly details: string;
}

export interface FollowupList {
  readonly items: readonly FollowupView[];
  readonly unreadable: number;
  /** "Showing 20 of 31." */
  readonly more: string | undefined;
}

/** Shown also when GetBill did not give them. */
const ALWAYS = new Set(['Name', 'Email', 'Phone', 'For', 'Invoice', 'Due']);

export function debtView(debt: unknown): DebtView {
  const field = (name: string): unknown => fieldOf(debt, name);
  const text = (label: string, name: string): Fact => ({ label, text: textOf(field(name)) });
  const date = (label: string, name: string): Fact => ({ label, text: undefined, ...formats.date(field(name)) });
  const { person, name } = nameOf(debt, { civility: true });
  const company = textOf(field('debtor_company'));
  const status = textOf(field('status'));
  const debtor: Fact[] = [
    { label: 'Name', text: person ?? company },
    { label: 'Company', text: person === undefined ? undefined : company },
    text('Email', 'email'),
    text('Phone', 'phone'),
    { label: 'Address', text: addressOf(debt) },
  ];
  const claim: Fact[] = [
    text('For', 'object'),
    text('Invoice', 'invoice_reference'),
    date('Invoice date', 'invoice_date'),
    date('Due', 'due_date'),
    text('Creditor', 'company'),
    text('Your reference', 'internal_id'),
    text('Debtor reference', 'debtor_reference'),
    { label: 'Payment plan', text: isTrue(field('payment_plan_active')) ? 'Active' : undefined },
    text('Summary', 'summary'),
    { ...text('Debt id', 'id'), isCode: true },
  ];
  const given = (facts: Fact[]): Fact[] => facts.filter(({ label, text }) => text !== undefined || ALWAYS.has(label));
  return {
    name,
    amount: formats.money(field('amount'), field('currency'), field('amount_text')),
    status: status === undefined ? undefined : statusOf(status),
    sections: [
      { title: 'Debtor', facts: given(debtor) },
      { title: 'Claim', facts: given(claim) },
    ],
  };
}

function addressOf(debt: unknown): string | undefined {
  const joined = (separator: string, ...parts: (string | undefined)[]): string | undefined =>
    parts.filter((part) => part !== undefined).join(separator) || undefined;
  const text = (name: string): string | undefined => textOf(fieldOf(debt, name));
  const street = joined(' ', text('street_number'), text('street_address'));
  const town = joined(' ', text('postal_code'), text('city'));
  return joined(', ', street, town, text('country')) ?? text('address');
}

/** `debt`: says how many there are in all. */
export function followupList({ items, unreadable = 0 }: Page<unknown>, debt: unknown): FollowupList {
  const total = numberOf(fieldOf(debt, 'followups_count')) ?? 0;
  return {
    items: items.map(followupView),
    unreadable,
    more: total > items.length ? `Showing ${countText(items.length)} of ${countText(total)}.` : undefined,
  };
}

export function followupView(followup: unknown): FollowupView {
  const field = (name: string): unknown => fieldOf(followup, name);
  const at = ['call_date', 'scheduled_at', 'processed_at'].map(field).find((value) => textOf(value) !== undefined);
  const details = [
    words(field('direction')),
    durationText(field('duration_ms')),
    isTrue(field('is_retry')) ? 'Another try' : undefined,
    timesText('Opened', field('email_open_count')),
    timesText('Clicked', field('email_click_count')),
    isTrue(field('triggered_payment')) ? 'Led to a payment' : undefined,
  ];
  return {
    at: formats.dateTime(at),
    title: words(field('type')) ?? 'Follow-up',
    status: words(field('status')),
    texts: [textOf(field('summary')), textOf(field('notes'))].filter((text) => text !== undefined),
    details: details.filter((text) => text !== undefined).join(' · '),
  };
}

const SPELLED = new Map([
  ['sms', 'SMS'],
  ['whatsapp', 'WhatsApp'],
]);

/** "no_answer" reads "No answer". */
function words(value: unknown): string | undefined {
  const text = textOf(value)?.replaceAll('_', ' ');
  return text && (SPELLED.get(text) ?? text.charAt(0).toUpperCase() + text.slice(1));
}

function durationText(ms: unknown): string | undefined {
  const seconds = Math.round((numberOf(ms) ?? 0) / 1000);
  if (seconds <= 0) return undefined;
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function timesText(verb: string, value: unknown): string | undefined {
  const count = numberOf(value) ?? 0;
  if (count <= 0) return undefined;
  return `${verb} ${count === 1 ? 'once' : count === 2 ? 'twice' : `${countText(count)} times`}`;
}

import { fieldOf, isRecord, isTrue, numberOf, textOf } from '../../getbill/values.js';
import { amountText, nameOf, overdueText, statusAndHref } from './debt-row.js';
import { mailHref, pageHref, phoneHref, type Fact } from './facts.js';
import type { Formats } from './formats.js';
import type { Reader } from './reader.js';
import type { Status } from './statuses.js';

export interface DebtView {
  readonly name: string;
  readonly amount: string | undefined;
  readonly status: Status | undefined;
  readonly statusHref: string | undefined;
  readonly overdue: string | undefined;
  readonly sections: readonly DebtSection[];
}

interface DebtSection {
  readonly id: string;
  readonly title: string;
  readonly facts: readonly Fact[];
  /** Said instead of facts. */
  readonly none?: string;
}

/** "Anaïs Çelik, €2,370.90" */
export function debtTitle(debt: unknown, reader: Reader): string {
  const amount = amountText(debt, reader);
  const { name } = nameOf(debt);
  return amount === undefined ? name : `${name}, ${amount}`;
}

/** Shown also when GetBill did not give them. */
const ALWAYS = new Set([
  'Name',
  'Email',
  'Phone',
  'For',
  'Invoice',
  'Due',
  'Payment plan',
  'Payment link',
  'Reminders sent',
]);

export function debtView(debt: unknown, reader: Reader): DebtView {
  const { formats } = reader;
  const field = (name: string): unknown => fieldOf(debt, name);
  const own = (name: string): string | undefined => textOf(field(name));
  const text = (label: string, name: string): Fact => ({ label, text: own(name) });
  const code = (label: string, name: string): Fact => ({
    ...text(label, name),
    isCode: true,
    canCopy: true,
  });
  const date = (label: string, name: string): Fact => ({
    label,
    text: undefined,
    ...formats.date(field(name)),
  });
  const { person, name } = nameOf(debt, { civility: true });
  const company = own('debtor_company');
  const debtor: Fact[] = [
    { label: 'Name', text: person ?? company },
    { label: 'Company', text: person === undefined ? undefined : company },
    { ...text('Email', 'email'), href: mailHref(own('email')) },
    { ...text('Phone', 'phone'), href: phoneHref(own('phone')) },
    { label: 'Address', text: addressOf(debt) },
    date('Born', 'birthdate'),
    code('IBAN', 'iban'),
  ];
  const claim: Fact[] = [
    text('For', 'object'),
    text('Invoice', 'invoice_reference'),
    date('Invoice date', 'invoice_date'),
    date('Due', 'due_date'),
    text('Creditor', 'company'),
    code('Your reference', 'internal_id'),
    code('Debtor reference', 'debtor_reference'),
    date('Imported', 'import_date'),
    text('Summary', 'summary'),
    code('Debt id', 'id'),
  ];
  const link = own('payment_link');
  const payment: Fact[] = [
    { label: 'Payment link', text: link, href: pageHref(link), canCopy: true },
    { label: 'Payment plan', text: planText(field('payment_plan_active')) },
    date('Plan start', 'plan_start_date'),
  ];
  const reminders: Fact[] = [
    { label: 'Reminders sent', text: countOf(field('nb_reminders'), formats) },
    { label: 'Answered', text: countOf(field('nb_answered'), formats) },
    date('Timeline restarted', 'last_timeline_restart'),
  ];
  const given = (facts: Fact[]): Fact[] =>
    facts.filter(({ label, text }) => text !== undefined || ALWAYS.has(label));
  return {
    name,
    amount: amountText(debt, reader),
    ...statusAndHref(debt),
    overdue: overdueText(debt, reader),
    sections: [
      { id: 'debtor', title: 'Debtor', facts: given(debtor) },
      { id: 'claim', title: 'Claim', facts: given(claim) },
      { id: 'payment', title: 'Payment', facts: given(payment) },
      { id: 'reminders', title: 'Reminders', facts: given(reminders) },
      contactsSection(field('contacts')),
    ],
  };
}

function planText(active: unknown): string | undefined {
  if (textOf(active) === undefined) return undefined;
  return isTrue(active) ? 'Active' : 'None';
}

function countOf(value: unknown, { count }: Formats): string | undefined {
  const number = numberOf(value);
  return number === undefined ? undefined : count(number);
}

const MAX_CONTACTS = 20;

/** GetBill does not document the fields of a contact: all that can be text are shown. */
function contactsSection(contacts: unknown): DebtSection {
  const list = Array.isArray(contacts) ? contacts.slice(0, MAX_CONTACTS) : [];
  const facts = list.flatMap((contact: unknown, index): Fact[] => {
    const label = list.length === 1 ? 'Contact' : `Contact ${index + 1}`;
    if (!isRecord(contact)) return [{ label, text: textOf(contact) }];
    const texts = Object.keys(contact)
      .filter((name) => name !== 'id')
      .map((name) => textOf(fieldOf(contact, name)))
      .filter((text) => text !== undefined);
    return [{ label, text: texts.length > 0 ? texts.join(', ') : undefined }];
  });
  const none =
    facts.length === 0 ? { none: 'No further contacts are on record for this debt.' } : {};
  return { id: 'contacts', title: 'Contacts', facts, ...none };
}

function addressOf(debt: unknown): string | undefined {
  const joined = (separator: string, ...parts: (string | undefined)[]): string | undefined =>
    parts.filter((part) => part !== undefined).join(separator) || undefined;
  const text = (name: string): string | undefined => textOf(fieldOf(debt, name));
  const street = joined(' ', text('street_number'), text('street_address'));
  const town = joined(' ', text('postal_code'), text('city'));
  return joined(', ', street, town, text('country')) ?? text('address');
}

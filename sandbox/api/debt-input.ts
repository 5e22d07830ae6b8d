import type { Debt } from './data/types.js';
import { failure, invalid, type ApiResponse } from './envelope.js';
import {
  isDate,
  isDateOrTime,
  isEmail,
  isIban,
  normalisePhone,
  sentTexts,
  text,
} from './fields.js';

type Body = Readonly<Record<string, unknown>>;

const textFields = [
  'civility',
  'birthdate',
  'object',
  'internal_id',
  'invoice_reference',
  'debtor_reference',
  'invoice_date',
  'due_date',
  'address',
  'iban',
  'company',
  'debtor_company',
  'street_address',
  'street_number',
  'postal_code',
  'city',
  'country',
  'payment_link',
  'timeline_id',
] as const;

const settableStatuses = ['paid', 'in_progress', 'on_hold', 'failed', 'archived'].map(
  (name) => `status.default.${name}`,
);
/** Country codes of DOM-TOM and the Maghreb: calls there need `accept_expensive_destination`. */
const expensive = /^\+(262|590|594|596|508|687|689|212|213|216)/;

const isAmount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0;
const isCurrency = (value: unknown): value is string =>
  typeof value === 'string' && /^[A-Z]{3}$/.test(value);

const isOneOf =
  (...values: string[]) =>
  (value: string): boolean =>
    values.includes(value);

/** Optional texts for which GetBill documents a rule; the words of the refusals are ours. */
const RULES: Readonly<Record<string, readonly [(value: string) => boolean, problem: string]>> = {
  civility: [isOneOf('Mr', 'Ms'), 'The value you selected is not a valid choice.'],
  iban: [isIban, 'This is not a valid International Bank Account Number (IBAN).'],
  country: [(value) => /^[A-Z]{2}$/.test(value), 'This value is not a valid country.'],
  timeline_start_mode: [
    isOneOf('immediate', 'next_day'),
    'The value you selected is not a valid choice.',
  ],
};

/** What is wrong with the fields that were sent. */
function problems(body: Body, isDay: (value: string) => boolean): Record<string, string[]> {
  const details: Record<string, string[]> = {};
  if ('firstname' in body && !text(body, 'firstname'))
    details['firstname'] = ['First name is required'];
  if ('lastname' in body && !text(body, 'lastname'))
    details['lastname'] = ['Last name is required'];
  if ('amount' in body && !isAmount(body['amount']))
    details['amount'] = ['Valid amount is required'];
  if ('currency' in body && !isCurrency(body['currency']))
    details['currency'] = ['Valid currency is required'];
  const phone = text(body, 'phone');
  if (phone !== undefined && normalisePhone(phone) === undefined)
    details['phone'] = ['number format is not valid'];
  const email = text(body, 'email');
  if (email !== undefined && !isEmail(email))
    details['email'] = ['This value is not a valid email address.'];
  for (const name of ['birthdate', 'invoice_date', 'due_date']) {
    const value = text(body, name);
    if (value !== undefined && !isDay(value))
      details[name] = [`Invalid ${name} format. Use YYYY-MM-DD`];
  }
  for (const [name, [isRight, problem]] of Object.entries(RULES)) {
    const value = text(body, name);
    if (value !== undefined && !isRight(value)) details[name] = [problem];
  }
  const status = text(body, 'status');
  if (status !== undefined && !settableStatuses.includes(status))
    details['status'] = ['This status cannot be set'];
  return details;
}

export type DebtInput = { fields: Partial<Debt> } | { refused: ApiResponse };

/** The fields of a body for PUT /debts/{id}: those that were sent. */
export function readDebtChange(body: Body): DebtInput {
  const details = problems(body, isDateOrTime);
  if (Object.keys(details).length > 0) return { refused: invalid(details) };
  const { amount, currency } = body;
  const fields: Partial<Debt> = sentTexts(body, textFields);
  for (const name of ['firstname', 'lastname', 'status', 'email'] as const) {
    const value = text(body, name);
    if (value !== undefined) fields[name] = value;
  }
  const phone = normalisePhone(text(body, 'phone') ?? '');
  if (phone !== undefined) fields.phone = phone;
  if (isAmount(amount)) Object.assign(fields, { amount, amount_text: amount.toFixed(2) });
  if (isCurrency(currency)) fields.currency = currency;
  return { fields };
}

/** The fields of a body for POST /debts: required ones checked, no status. */
export function readNewDebt(body: Body): DebtInput {
  const required = { firstname: '', lastname: '', amount: 0, currency: '', ...body };
  const details = problems({ ...required, status: undefined }, isDate);
  if (!text(body, 'phone') && !text(body, 'email')) details['phone'] = ['Phone number is required'];
  if (Object.keys(details).length > 0) return { refused: invalid(details) };
  const input = readDebtChange({ ...body, status: undefined });
  if ('refused' in input) return input;
  const { phone } = input.fields;
  if (
    typeof phone === 'string' &&
    expensive.test(phone) &&
    body['accept_expensive_destination'] !== true
  ) {
    return {
      refused: failure(
        422,
        `Calls to ${phone.slice(0, 4)} are expensive; accept_expensive_destination is not set`,
      ),
    };
  }
  return input;
}

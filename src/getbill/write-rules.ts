import { z } from 'zod';
import { isRecord } from './values.js';
import { followupStatuses, followupTypes } from './followup-values.js';

const PHONE_MAX_DIGITS = 15; // E.164
const compact = (phone: string): string => phone.replaceAll(/[\s().-]/g, '');
const digitsOf = (phone: string): string => phone.replaceAll(/\D/g, '');

const filled = z.string().refine((text) => text.trim() !== '', { error: 'must not be empty' });
const text = z.string().nullish();
const flag = z.boolean().optional();
const date = z.iso.date({ error: 'must be a date as YYYY-MM-DD' });
const dateTime = z.iso.datetime({ offset: true, local: true });
const dateOrTime = z
  .string()
  .refine((value) => date.safeParse(value).success || dateTime.safeParse(value).success, {
    error: 'must be a date as YYYY-MM-DD, or ISO 8601',
  });
const email = z
  .email({ pattern: z.regexes.unicodeEmail, error: 'is not a valid email address' })
  .nullish();
const phone = z
  .string()
  .refine((value) => /^\+?\d+$/.test(compact(value)), { error: 'number format is not valid' })
  .refine((value) => digitsOf(value).length <= PHONE_MAX_DIGITS, { error: 'phone number too long' })
  .nullish();
const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, { error: 'must be the three letters of ISO 4217, such as EUR' });
const amount = z.number().positive({ error: 'must be greater than 0' });
const iban = z.string().refine(isIban, { error: 'is not a valid IBAN' }).nullish();

const optionalOfDebt = {
  civility: z.enum(['Mr', 'Ms']).nullish(),
  phone,
  email,
  object: text,
  internal_id: text,
  invoice_reference: text,
  debtor_reference: text,
  address: text,
  iban,
  company: text,
  debtor_company: text,
  street_address: text,
  street_number: text,
  postal_code: text,
  city: text,
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, { error: 'must be the two letters of ISO 3166-1, such as FR' })
    .nullish(),
  payment_link: text,
  timeline_id: text,
  metadata: z.record(z.string(), z.unknown()).optional(),
};

const debtFields = z.strictObject({
  firstname: filled,
  lastname: filled,
  amount,
  currency,
  ...optionalOfDebt,
  birthdate: date.nullish(),
  invoice_date: date.nullish(),
  due_date: date.nullish(),
  timeline_start_mode: z.enum(['immediate', 'next_day']).optional(),
  accept_expensive_destination: flag,
});

type DebtFields = Partial<z.output<typeof debtFields>>;
const isReachable = ({ phone, email }: DebtFields): boolean => Boolean(phone) || Boolean(email);
const isModeOfTimeline = ({ timeline_start_mode: mode, timeline_id: timeline }: DebtFields) =>
  mode === undefined || Boolean(timeline);

/** Rules between fields, checked also where a field is at fault by itself. */
function withRulesBetweenFields<Fields extends z.ZodType<DebtFields>>(fields: Fields): Fields {
  const when = ({ value }: { value: unknown }): boolean => isRecord(value);
  const error = 'is only for a debt with a timeline_id';
  return fields
    .refine(isReachable, { path: ['phone'], error: 'a phone or an email is needed', when })
    .refine(isModeOfTimeline, { path: ['timeline_start_mode'], error, when });
}

const newDebt = withRulesBetweenFields(debtFields);
const batchDebt = withRulesBetweenFields(debtFields.extend({ temp_id: z.string().optional() }));

export const MAX_BATCH = 1_000;

const newDebts = z.strictObject({
  batch_name: filled.optional(),
  accept_expensive_destination: flag,
  debts: z
    .array(batchDebt)
    .min(1, { error: 'there is no debt in it' })
    .max(MAX_BATCH, { error: `GetBill takes at most ${MAX_BATCH} debts at once` }),
});

const SETTABLE = ['paid', 'in_progress', 'on_hold', 'failed', 'archived'] as const;

const debtChange = z
  .strictObject({
    firstname: filled,
    lastname: filled,
    amount,
    currency,
    ...optionalOfDebt,
    birthdate: dateOrTime.nullish(),
    invoice_date: dateOrTime.nullish(),
    due_date: dateOrTime.nullish(),
    status: z.enum(SETTABLE.map((name) => `status.default.${name}` as const)),
  })
  .partial();

const debtorChange = z
  .strictObject({
    firstName: text,
    lastName: text,
    email,
    phone,
    address: text,
    dateOfBirth: date.nullish(),
  })
  .partial();

const creditorChange = z
  .strictObject({
    name: text,
    email,
    phone,
    address: text,
    city: text,
    postalCode: text,
    country: text,
    registrationNumber: text,
    taxNumber: text,
    contactPerson: text,
  })
  .partial();

const followupChange = z
  .strictObject({
    type: z.enum(followupTypes),
    status: z.enum(followupStatuses),
    call_date: dateOrTime.nullable(),
    scheduled_at: dateOrTime.nullable(),
    summary: text,
    notes: text,
    call_id: text,
    audio_url: text,
    duration_ms: z.int().nullable(),
    phone_number_used: text,
    direction: z.enum(['inbound', 'outbound']).nullable(),
    disconnection_reason: text,
    is_retry: flag,
  })
  .partial();
const newFollowup = followupChange.extend({ debt_id: filled });

/**
 * GetBill's documented rules for the bodies of its writes. A field that GetBill does not document
 * is refused; a rule that it does not document is left to GetBill. `null` is accepted where
 * GetBill's own objects hold it.
 */
export const writeRules = {
  newDebt,
  batchDebt,
  newDebts,
  debtChange,
  debtorChange,
  creditorChange,
  newFollowup,
  followupChange,
};

export type NewDebt = z.input<typeof newDebt>;
export type NewDebts = z.input<typeof newDebts>;
export type DebtChange = z.input<typeof debtChange>;
export type DebtorChange = z.input<typeof debtorChange>;
export type CreditorChange = z.input<typeof creditorChange>;
export type NewFollowup = z.input<typeof newFollowup>;
export type FollowupChange = z.input<typeof followupChange>;

/** ISO 13616: the first four characters to the end, letters as numbers from 10, modulo 97 is 1. */
function isIban(value: string): boolean {
  const iban = value.replaceAll(' ', '').toUpperCase();
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(iban)) return false;
  const moved = iban.slice(4) + iban.slice(0, 4);
  const digits = moved.replaceAll(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  return BigInt(digits) % 97n === 1n;
}

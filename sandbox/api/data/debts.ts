import {
  date,
  daysBefore,
  numberFrom,
  offsetTimestamp,
  opaqueId,
  pick,
  plainTimestamp,
} from './deterministic.js';
import { emailOf, person, phoneOf } from './people.js';
import type { Creditor, Debt, Debtor, DebtRecord } from './types.js';

const creditorNames = [
  'Énergie du Rhône SA',
  'Télécom Occitanie',
  'Clinique Saint-Rémy',
  'Garage Müller & Fils',
  'Assurances Côte d’Opale',
  'Loyers & Patrimoine <SCI>',
  'Crèche Les Petits Loups',
  'Weinhandlung Köln GmbH',
] as const;

/**
 * All of GetBill's own statuses and one that a company made up, with their share of the debts in
 * percent.
 */
const shares = {
  'status.default.in_progress': 27,
  'status.default.pending': 13,
  'status.default.paid': 14,
  'status.default.partial': 9,
  'status.default.settled': 8,
  'status.default.processing': 7,
  'status.default.on_hold': 5,
  'status.default.failed': 4,
  'status.default.refused': 4,
  'status.custom.legal_action': 3,
  'status.default.invalid_phone': 3,
  'status.default.archived': 3,
} as const;
const statuses = Object.entries(shares).flatMap(([status, share]) =>
  Array<string>(share).fill(status),
);
/** Nothing else has happened to a debt of the last few days. */
const earlyStatuses = ['status.default.pending', 'status.default.in_progress'] as const;
const EARLY_DAYS = 5;
/** Since when debts came in; the newest did yesterday. */
const DAYS_OF_DEBTS = 420;

const cities = [
  { city: 'Lyon', postal_code: '69003', country: 'FR' },
  { city: 'Saint-Étienne', postal_code: '42000', country: 'FR' },
  { city: 'Köln', postal_code: '50667', country: 'DE' },
  { city: 'Genève', postal_code: '1201', country: 'CH' },
] as const;
const objects = [
  'Unpaid invoice',
  'Facture d’électricité impayée',
  'Loyer en retard',
  'Subscription',
] as const;

/** True for one in `n`, in a fixed pattern of its own per field. */
const oneIn = (n: number, field: string, index: number) => numberFrom(`${field}:${index}`, n) === 0;

/** Whose data, how much of it, and the day it is told from. */
export interface DataInput {
  companyId: string;
  count: number;
  todayMs: number;
}

/** Most debts are a few hundred euros, some are thousands. */
function centsOf(index: number): number {
  const share = numberFrom(`amount:${index}`, 10_000) / 10_000;
  return 2_500 + Math.round(share ** 3 * 900_000);
}

export function makeCreditors({ companyId, count, todayMs }: DataInput): Creditor[] {
  return Array.from({ length: count }, (_, index) => ({
    id: opaqueId(`creditor:${companyId}:${index}`),
    name: pick(creditorNames, index),
    email: index % 4 === 3 ? null : `accounts-${index}@creditor.example`,
    phone: index % 3 === 2 ? null : `+33472${String(100_000 + index)}`,
    address: `${index + 1} rue de la République`,
    city: pick(cities, index).city,
    postalCode: pick(cities, index).postal_code,
    country: 'France',
    registrationNumber: index % 5 === 4 ? null : String(732_829_320 + index),
    taxNumber: null,
    contactPerson: index % 2 === 0 ? 'Hélène Béranger' : null,
    createdAt: plainTimestamp(
      daysBefore(todayMs, DAYS_OF_DEBTS + 200 - index, `creditor:${index}`),
    ),
    updatedAt: plainTimestamp(daysBefore(todayMs, 20 + index, `changed:${index}`)),
  }));
}

export function makeDebtors({ companyId, count, todayMs }: DataInput): Debtor[] {
  return Array.from({ length: count }, (_, index) => {
    const { firstname, lastname } = person(index);
    const noPhone = oneIn(7, 'phone', index);
    return {
      id: opaqueId(`debtor:${companyId}:${index}`),
      firstName: firstname,
      lastName: lastname,
      email: !noPhone && oneIn(5, 'email', index) ? null : emailOf(index),
      phone: noPhone ? null : phoneOf(index),
      address: oneIn(4, 'address', index) ? null : `${1 + (index % 90)} avenue de l’Église`,
      dateOfBirth: oneIn(6, 'birth', index)
        ? null
        : date(daysBefore(todayMs, 8000 + numberFrom(`age:${index}`, 18_000), 'birth')),
      firstSeenAt: plainTimestamp(
        daysBefore(todayMs, DAYS_OF_DEBTS - (index % 200), `first:${index}`),
      ),
      lastSeenAt: plainTimestamp(daysBefore(todayMs, 1 + (index % 90), `last:${index}`)),
      lastUpdatedAt: plainTimestamp(daysBefore(todayMs, 1 + (index % 90), `last:${index}`)),
    };
  });
}

interface DebtsInput extends DataInput {
  debtors: readonly Debtor[];
  creditors: readonly Creditor[];
}

/** In the order in which they came in, the oldest first. */
export function makeDebts({
  companyId,
  count,
  todayMs,
  debtors,
  creditors,
}: DebtsInput): DebtRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const debtor = debtors[index % debtors.length];
    const creditor = creditors[index % creditors.length];
    if (debtor === undefined || creditor === undefined)
      throw new Error('a debt needs a debtor and a creditor');
    const place = pick(cities, numberFrom(`city:${index}`, 100));
    const cents = centsOf(index);
    const daysAgo = 1 + Math.floor(((count - 1 - index) / count) * DAYS_OF_DEBTS);
    const dueDaysAgo = daysAgo + 10 + numberFrom(`due:${index}`, 60);
    const business = oneIn(9, 'business', index);
    const status =
      daysAgo <= EARLY_DAYS
        ? pick(earlyStatuses, numberFrom(`early:${index}`, 100))
        : pick(statuses, index * 37);
    const plan = status === 'status.default.partial';
    const invoiceMs = daysBefore(todayMs, dueDaysAgo + 30, `invoice:${index}`);
    const debt: Debt = {
      id: opaqueId(`debt:${companyId}:${index}`),
      civility: business ? null : person(index % debtors.length).civility,
      firstname: debtor.firstName,
      lastname: debtor.lastName,
      phone: debtor.phone,
      email: debtor.email,
      birthdate: debtor.dateOfBirth,
      amount: cents / 100,
      amount_text: (cents / 100).toFixed(2),
      currency: oneIn(12, 'currency', index) ? 'USD' : 'EUR',
      object: pick(objects, numberFrom(`object:${index}`, 100)),
      internal_id: `INV-${String(index + 1).padStart(5, '0')}`,
      invoice_reference: oneIn(3, 'invoice', index)
        ? null
        : `F${date(invoiceMs).slice(0, 4)}-${String(index + 1)}`,
      debtor_reference: oneIn(2, 'reference', index) ? null : `C${String(9000 + index)}`,
      invoice_date: date(invoiceMs),
      due_date: date(daysBefore(todayMs, dueDaysAgo, 'due')),
      address:
        debtor.address === null ? null : `${debtor.address}, ${place.postal_code} ${place.city}`,
      street_address: debtor.address === null ? null : 'avenue de l’Église',
      street_number: debtor.address === null ? null : String(1 + (index % 90)),
      ...(debtor.address === null ? { postal_code: null, city: null, country: null } : place),
      status,
      timeline_id: oneIn(3, 'timeline', index) ? null : opaqueId(`timeline:${companyId}`),
      nb_reminders: Math.min(daysAgo, numberFrom(`reminders:${index}`, 9)),
      nb_answered: Math.min(daysAgo - 1, numberFrom(`answered:${index}`, 3)),
      followups_count: 0,
      summary: oneIn(3, 'summary', index)
        ? 'Debtor asked for the invoice again, then promised to pay.'
        : null,
      iban: null,
      company: creditor.name,
      debtor_company: business ? `Société ${debtor.lastName}` : null,
      payment_link: oneIn(2, 'link', index) ? `https://pay.example/${String(index + 1)}` : null,
      import_date: offsetTimestamp(daysBefore(todayMs, daysAgo, 'import') + (index % 60) * 60_000),
      last_timeline_restart: oneIn(8, 'restart', index)
        ? offsetTimestamp(daysBefore(todayMs, Math.ceil(daysAgo / 2), 'restart'))
        : null,
      payment_plan_active: plan,
      plan_start_date: plan ? date(daysBefore(todayMs, Math.ceil(daysAgo / 2), 'plan')) : null,
      contacts: [],
    };
    return { debt, debtorId: debtor.id, creditorId: creditor.id };
  });
}

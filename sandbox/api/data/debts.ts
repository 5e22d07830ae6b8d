import {
  date,
  daysAfterStart,
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

/** All of GetBill's own statuses and one that a company made up. */
const statuses = [
  'status.default.pending',
  'status.default.in_progress',
  'status.default.processing',
  'status.default.settled',
  'status.default.paid',
  'status.default.partial',
  'status.default.failed',
  'status.default.archived',
  'status.default.invalid_phone',
  'status.default.on_hold',
  'status.default.refused',
  'status.custom.legal_action',
] as const;

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

export function makeCreditors(companyId: string, count: number): Creditor[] {
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
    createdAt: plainTimestamp(daysAfterStart(-400 + index)),
    updatedAt: plainTimestamp(daysAfterStart(-20 + index)),
  }));
}

export function makeDebtors(companyId: string, count: number): Debtor[] {
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
        : date(daysAfterStart(-9000 - numberFrom(`age:${index}`, 15_000))),
      firstSeenAt: plainTimestamp(daysAfterStart(index % 200)),
      lastSeenAt: plainTimestamp(daysAfterStart(200 + (index % 90))),
      lastUpdatedAt: plainTimestamp(daysAfterStart(200 + (index % 90))),
    };
  });
}

interface DebtsInput {
  companyId: string;
  count: number;
  debtors: readonly Debtor[];
  creditors: readonly Creditor[];
}

export function makeDebts({ companyId, count, debtors, creditors }: DebtsInput): DebtRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const debtor = debtors[index % debtors.length];
    const creditor = creditors[index % creditors.length];
    if (debtor === undefined || creditor === undefined)
      throw new Error('a debt needs a debtor and a creditor');
    const place = pick(cities, numberFrom(`city:${index}`, 100));
    const cents = 1500 + numberFrom(`amount:${index}`, 900_000);
    const business = oneIn(9, 'business', index);
    const plan = index % statuses.length === 3;
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
      invoice_reference: oneIn(3, 'invoice', index) ? null : `F2024-${String(index + 1)}`,
      debtor_reference: oneIn(2, 'reference', index) ? null : `C${String(9000 + index)}`,
      invoice_date: date(daysAfterStart(index % 180)),
      due_date: date(daysAfterStart((index % 180) + 30)),
      address:
        debtor.address === null ? null : `${debtor.address}, ${place.postal_code} ${place.city}`,
      street_address: debtor.address === null ? null : 'avenue de l’Église',
      street_number: debtor.address === null ? null : String(1 + (index % 90)),
      ...(debtor.address === null ? { postal_code: null, city: null, country: null } : place),
      status: pick(statuses, index),
      timeline_id: oneIn(3, 'timeline', index) ? null : opaqueId(`timeline:${companyId}`),
      nb_reminders: numberFrom(`reminders:${index}`, 9),
      nb_answered: numberFrom(`answered:${index}`, 3),
      followups_count: 0,
      summary: oneIn(3, 'summary', index)
        ? 'Debtor asked for the invoice again, then promised to pay.'
        : null,
      iban: null,
      company: creditor.name,
      debtor_company: business ? `Société ${debtor.lastName}` : null,
      payment_link: oneIn(2, 'link', index) ? `https://pay.example/${String(index + 1)}` : null,
      import_date: offsetTimestamp(daysAfterStart(index % 200)),
      last_timeline_restart: oneIn(8, 'restart', index)
        ? offsetTimestamp(daysAfterStart(200))
        : null,
      payment_plan_active: plan,
      plan_start_date: null,
      contacts: [],
    };
    return { debt, debtorId: debtor.id, creditorId: creditor.id };
  });
}

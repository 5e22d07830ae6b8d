import { debtStatuses, STATUS_PREFIX } from '../getbill/debt-statuses.js';
import { followupStatuses, followupTypes } from '../getbill/followup-values.js';

/** A parameter that GetBill documents under this name. */
export interface Parameter {
  readonly name: string;
  readonly example: string;
  /** The value of a new form; empty by default. */
  readonly initial?: string;
  /** Values that GetBill documents; others may exist. */
  readonly values?: readonly string[];
}

/** The documentation of one endpoint, as far as a form needs it. */
export interface Documentation {
  readonly title: string;
  /** The meaning of `{id}`. */
  readonly id?: string;
  readonly query?: readonly Parameter[];
  /** An example that GetBill accepts, apart from ids. */
  readonly body?: object;
  /** A warning to read before sending. */
  readonly note?: string;
}

/** An id as GetBill writes them. */
export const EXAMPLE_ID = 'hTBN7n6lkmkhMb6LYqEBZw';

const pagination: readonly Parameter[] = [
  { name: 'page', example: '1' },
  { name: 'limit', example: '20', initial: '3' },
];
const debtStatus: Parameter = {
  name: 'status',
  example: 'status.default.paid',
  values: debtStatuses.map((name) => STATUS_PREFIX + name),
};
const followupStatus: Parameter = {
  name: 'status',
  example: 'delivered',
  values: followupStatuses,
};
const followupType: Parameter = { name: 'type', example: 'call', values: followupTypes };
const debt = {
  firstname: 'Camille',
  lastname: 'Martin',
  email: 'camille.martin@example.com',
  amount: 1250,
  currency: 'EUR',
  object: 'Invoice 2026-0042',
  due_date: '2026-12-31',
};
const creditor = { email: 'billing@example.com', city: 'Lyon', country: 'France' };
const CREATES =
  'GetBill documents no idempotency key: what is sent twice may be created twice. So each confirmation sends it once.';

/** Keyed by method and path, as in the allow-list of `getbill/endpoints.ts`. */
export const documentation: Readonly<Record<string, Documentation>> = {
  'GET /company/profile': { title: 'Get the company profile' },
  'GET /company/credits': { title: 'Get the credits' },
  'GET /company/users': { title: 'List the users' },
  'GET /debts': { title: 'List debts', query: [...pagination, debtStatus] },
  'POST /debts': { title: 'Create a debt', body: debt, note: CREATES },
  'POST /debts/batch': {
    title: 'Create many debts',
    body: { batch_name: 'API explorer', debts: [{ temp_id: '1', ...debt }] },
    note: `At most 1,000 debts. ${CREATES}`,
  },
  'GET /debts/by-debtor/{id}': {
    title: 'List the debts of a debtor',
    id: 'Debtor id',
    query: [...pagination, debtStatus],
  },
  'GET /debts/by-creditor/{id}': {
    title: 'List the debts owed to a creditor',
    id: 'Creditor id',
    query: [...pagination, debtStatus],
  },
  'GET /debts/{id}': { title: 'Get a debt', id: 'Debt id' },
  'PUT /debts/{id}': {
    title: 'Change a debt',
    id: 'Debt id',
    body: { status: 'status.default.on_hold' },
  },
  'DELETE /debts/{id}': {
    title: 'Delete a debt',
    id: 'Debt id',
    note: 'This cannot be undone. The follow-ups of the debt are deleted with it.',
  },
  'GET /debtors': { title: 'List debtors', query: pagination },
  'GET /debtors/{id}': { title: 'Get a debtor', id: 'Debtor id' },
  'PUT /debtors/{id}': {
    title: 'Change a debtor',
    id: 'Debtor id',
    body: { email: 'camille.martin@example.com', phone: '+33123456789' },
  },
  'GET /creditors': { title: 'List creditors', query: pagination },
  'GET /creditors/{id}': { title: 'Get a creditor', id: 'Creditor id' },
  'PUT /creditors/{id}': { title: 'Change a creditor', id: 'Creditor id', body: creditor },
  'PATCH /creditors/{id}': {
    title: 'Change fields of a creditor',
    id: 'Creditor id',
    body: creditor,
  },
  'GET /followups': {
    title: 'List follow-ups',
    query: [...pagination, followupStatus, followupType],
  },
  'POST /followups': {
    title: 'Create a follow-up',
    body: { debt_id: EXAMPLE_ID, type: 'call', notes: 'Created in the API explorer' },
    note: `Put in the id of a debt. ${CREATES}`,
  },
  'GET /followups/debt/{id}': {
    title: 'List the follow-ups of a debt',
    id: 'Debt id',
    query: pagination,
  },
  'GET /followups/{id}': { title: 'Get a follow-up', id: 'Follow-up id' },
  'PUT /followups/{id}': {
    title: 'Change a follow-up',
    id: 'Follow-up id',
    body: { notes: 'Changed in the API explorer' },
  },
  'GET /reports': {
    title: 'List reports',
    query: [
      ...pagination,
      { name: 'type', example: 'financial', values: ['financial', 'collection'] },
    ],
  },
  'GET /reports/download/{id}': {
    title: 'Get the download link of a report',
    id: 'Report id',
    note: 'The link is good for an hour. Whoever has it can download the report.',
  },
  'GET /reports/{id}': { title: 'Get a report', id: 'Report id' },
};

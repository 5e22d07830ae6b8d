import { plainTimestamp } from './data/deterministic.js';
import { failure, nested, notFound, page, success, type ApiResponse } from './envelope.js';
import { isDate, isEmail, sentTexts, text } from './fields.js';
import type { ApiCall, Route } from './route.js';

const debtorFields = ['firstName', 'lastName', 'email', 'phone', 'address', 'dateOfBirth'] as const;
const creditorFields = [
  'name',
  'email',
  'phone',
  'address',
  'city',
  'postalCode',
  'country',
  'registrationNumber',
  'taxNumber',
  'contactPerson',
] as const;

function getDebtor({ id, company }: ApiCall): ApiResponse {
  const debtor = company.debtors.get(id);
  if (debtor === undefined) return notFound('Debtor');
  const debts = [...company.debts.values()]
    .filter(({ debtorId }) => debtorId === id)
    .map(({ debt }) => debt);
  const paid = debts.filter(({ status }) => status === 'status.default.paid');
  return nested({
    ...debtor,
    totalDebtAmount: sum(debts),
    totalPaidAmount: sum(paid),
    averageRepaymentScore: 65,
    debtsCount: debts.length,
  });
}

function updateDebtor({ id, company, body, nowMs }: ApiCall): ApiResponse {
  const debtor = company.debtors.get(id);
  if (debtor === undefined) return notFound('Debtor');
  const dateOfBirth = text(body, 'dateOfBirth');
  if (dateOfBirth !== undefined && !isDate(dateOfBirth)) {
    return failure(400, 'Invalid dateOfBirth format. Use YYYY-MM-DD');
  }
  Object.assign(debtor, sentTexts(body, debtorFields), { lastUpdatedAt: plainTimestamp(nowMs) });
  return nested(debtor, 'Debtor updated successfully');
}

function getCreditor({ id, company }: ApiCall): ApiResponse {
  const creditor = company.creditors.get(id);
  if (creditor === undefined) return notFound('Creditor');
  const debts = [...company.debts.values()]
    .filter(({ creditorId }) => creditorId === id)
    .map(({ debt }) => debt);
  return nested({ ...creditor, totalDebts: debts.length, totalAmount: sum(debts) });
}

/** Its validation errors have a shape of their own: `errors`, not `details`. */
function updateCreditor({ id, company, body, nowMs }: ApiCall): ApiResponse {
  const creditor = company.creditors.get(id);
  if (creditor === undefined) return notFound('Creditor');
  const email = text(body, 'email');
  if (email !== undefined && !isEmail(email)) {
    const errors = [{ property: 'email', message: 'This value is not a valid email address.' }];
    return { status: 400, body: { error: true, message: 'Validation failed', code: 400, errors } };
  }
  Object.assign(creditor, sentTexts(body, creditorFields), { updatedAt: plainTimestamp(nowMs) });
  return success(creditor, 'Creditor updated successfully');
}

const sum = (debts: readonly { amount: number }[]): number =>
  Math.round(debts.reduce((total, { amount }) => total + amount * 100, 0)) / 100;

export const partyRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/debtors',
    scope: 'debtors:read',
    handle: ({ company, query, faults }) =>
      page([...company.debtors.values()], { query, ...faults }),
  },
  { method: 'GET', path: '/debtors/:id', scope: 'debtors:read', handle: getDebtor },
  { method: 'PUT', path: '/debtors/:id', scope: 'debtors:write', handle: updateDebtor },
  {
    method: 'GET',
    path: '/creditors',
    scope: 'creditors:read',
    handle: ({ company, query, faults }) =>
      page([...company.creditors.values()], { query, ...faults }),
  },
  { method: 'GET', path: '/creditors/:id', scope: 'creditors:read', handle: getCreditor },
  { method: 'PUT', path: '/creditors/:id', scope: 'creditors:write', handle: updateCreditor },
  { method: 'PATCH', path: '/creditors/:id', scope: 'creditors:write', handle: updateCreditor },
];

import { offsetTimestamp } from './data/deterministic.js';
import type { Debt, DebtRecord } from './data/types.js';
import { debtBatchRoute } from './debt-batch.js';
import { readDebtChange, readNewDebt } from './debt-input.js';
import { failure, notFound, page, success, type ApiResponse } from './envelope.js';
import type { ApiCall, Route } from './route.js';

const emptyDebt: Omit<Debt, 'id' | 'firstname' | 'lastname' | 'import_date'> = {
  civility: null,
  phone: null,
  email: null,
  birthdate: null,
  amount: 0,
  amount_text: '0.00',
  currency: 'EUR',
  object: null,
  internal_id: null,
  invoice_reference: null,
  debtor_reference: null,
  invoice_date: null,
  due_date: null,
  address: null,
  street_address: null,
  street_number: null,
  postal_code: null,
  city: null,
  country: null,
  status: 'status.default.pending',
  timeline_id: null,
  nb_reminders: 0,
  nb_answered: 0,
  followups_count: 0,
  summary: null,
  iban: null,
  company: null,
  debtor_company: null,
  payment_link: null,
  last_timeline_restart: null,
  payment_plan_active: false,
  plan_start_date: null,
  contacts: [],
};

/** Every list of debts, the newest first: those of one debtor, of one creditor, or all. */
function listDebts(
  { company, query, faults }: ApiCall,
  belongs: (record: DebtRecord) => boolean = () => true,
): ApiResponse {
  const status = query.get('status');
  const debts = [...company.debts.values()]
    .toReversed()
    .filter((record) => belongs(record) && (status === null || record.debt.status === status))
    .map(({ debt }) => debt);
  return page(debts, { query, limitAbove100: faults.limitAbove100 });
}

function withDebt(
  { id, company, companies }: ApiCall,
  then: (debt: Debt) => ApiResponse,
): ApiResponse {
  const record = company.debts.get(id);
  if (record !== undefined) return then(record.debt);
  const anothers = companies.some(({ debts }) => debts.has(id));
  return anothers ? failure(403, 'Access denied to this debt') : notFound('Debt');
}

function createDebt({ body, company, faults, nowMs, newId }: ApiCall): ApiResponse {
  const input = readNewDebt(body);
  if ('refused' in input) return input.refused;
  const debt = {
    ...emptyDebt,
    firstname: '',
    lastname: '',
    import_date: offsetTimestamp(nowMs),
    ...input.fields,
    id: newId(),
  };
  company.debts.set(debt.id, { debt, debtorId: '', creditorId: '' });
  const metadata = body['metadata'] ?? {};
  return {
    ...success({ ...debt, metadata }, 'Debt created successfully'),
    status: faults.createStatus,
  };
}

function updateDebt(call: ApiCall): ApiResponse {
  return withDebt(call, (debt) => {
    const input = readDebtChange(call.body);
    if ('refused' in input) return input.refused;
    return success(Object.assign(debt, input.fields), 'Debt updated successfully');
  });
}

function deleteDebt(call: ApiCall): ApiResponse {
  return withDebt(call, ({ id }) => {
    call.company.debts.delete(id);
    for (const followup of [...call.company.followups.values()]) {
      if (followup.debt_id === id) call.company.followups.delete(followup.id);
    }
    return { status: 200, body: { error: false, message: 'Debt deleted successfully' } };
  });
}

export const debtRoutes: readonly Route[] = [
  { method: 'GET', path: '/debts', scope: 'debts:read', handle: (call) => listDebts(call) },
  { method: 'POST', path: '/debts', scope: 'debts:write', handle: createDebt },
  debtBatchRoute(createDebt),
  {
    method: 'GET',
    path: '/debts/by-debtor/:id',
    scope: 'debts:read',
    handle: (call) => listDebts(call, ({ debtorId }) => debtorId === call.id),
  },
  {
    method: 'GET',
    path: '/debts/by-creditor/:id',
    scope: 'debts:read',
    handle: (call) => listDebts(call, ({ creditorId }) => creditorId === call.id),
  },
  {
    method: 'GET',
    path: '/debts/:id',
    scope: 'debts:read',
    handle: (call) => withDebt(call, (debt) => success(debt)),
  },
  { method: 'PUT', path: '/debts/:id', scope: 'debts:write', handle: updateDebt },
  { method: 'DELETE', path: '/debts/:id', scope: 'debts:write', handle: deleteDebt },
];

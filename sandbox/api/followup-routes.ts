import type { Followup } from './data/types.js';
import { failure, invalid, notFound, page, success, type ApiResponse } from './envelope.js';
import { sentTexts, text } from './fields.js';
import type { ApiCall, Route } from './route.js';

const textFields = [
  'type',
  'call_date',
  'scheduled_at',
  'summary',
  'notes',
  'call_id',
  'audio_url',
  'phone_number_used',
  'direction',
  'disconnection_reason',
] as const;

const emailFields = {
  triggered_payment: false,
  email_opened: false,
  email_open_count: 0,
  email_first_opened_at: null,
  email_clicked: false,
  email_click_count: 0,
};

const emptyFollowup: Omit<Followup, 'id' | 'debt_id' | keyof typeof emailFields> = {
  status: 'on_hold',
  type: null,
  call_date: null,
  scheduled_at: null,
  summary: null,
  notes: null,
  call_id: null,
  audio_url: null,
  pdf_url: null,
  duration_ms: null,
  disconnection_reason: null,
  direction: null,
  phone_number_used: null,
  is_retry: false,
  processed_at: null,
};

/** Responses to create and update leave these out. */
function withoutEmailFields(followup: Followup): Partial<Followup> {
  const left = Object.entries(followup).filter(([name]) => !(name in emailFields));
  return Object.fromEntries(left);
}

function listFollowups({ company, query, faults }: ApiCall, debtId?: string): ApiResponse {
  const [status, type] = [query.get('status'), query.get('type')];
  const followups = [...company.followups.values()].filter(
    (followup) =>
      (debtId === undefined || followup.debt_id === debtId) &&
      (status === null || followup.status === status) &&
      (type === null || followup.type === type),
  );
  return page(followups, { query, limitAbove100: faults.limitAbove100 });
}

function sentFields(body: ApiCall['body']): Partial<Followup> {
  const { duration_ms: durationMs, is_retry: isRetry } = body;
  const status = text(body, 'status');
  return {
    ...sentTexts(body, textFields),
    ...(status !== undefined && { status }),
    ...(typeof durationMs === 'number' && { duration_ms: durationMs }),
    ...(typeof isRetry === 'boolean' && { is_retry: isRetry }),
  };
}

function createFollowup({ body, company, faults, newId }: ApiCall): ApiResponse {
  const debtId = text(body, 'debt_id');
  if (debtId === undefined) return invalid({ debt_id: ['This value should not be blank.'] });
  const record = company.debts.get(debtId);
  if (record === undefined) return failure(404, 'Debt not found');
  const followup = {
    ...emptyFollowup,
    ...emailFields,
    ...sentFields(body),
    id: newId(),
    debt_id: debtId,
  };
  company.followups.set(followup.id, followup);
  record.debt.followups_count += 1;
  const response = success(withoutEmailFields(followup), 'Followup created successfully');
  return { ...response, status: faults.createStatus };
}

function updateFollowup({ id, body, company }: ApiCall): ApiResponse {
  const followup = company.followups.get(id);
  if (followup === undefined) return notFound('Followup');
  return success(
    withoutEmailFields(Object.assign(followup, sentFields(body))),
    'Followup updated successfully',
  );
}

function getFollowup({ id, company }: ApiCall): ApiResponse {
  const followup = company.followups.get(id);
  return followup === undefined ? notFound('Followup') : success(followup);
}

export const followupRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/followups',
    scope: 'followups:read',
    handle: (call) => listFollowups(call),
  },
  { method: 'POST', path: '/followups', scope: 'followups:write', handle: createFollowup },
  {
    method: 'GET',
    path: '/followups/debt/:id',
    scope: 'followups:read',
    handle: (call) =>
      call.company.debts.has(call.id) ? listFollowups(call, call.id) : notFound('Debt'),
  },
  { method: 'GET', path: '/followups/:id', scope: 'followups:read', handle: getFollowup },
  { method: 'PUT', path: '/followups/:id', scope: 'followups:write', handle: updateFollowup },
];

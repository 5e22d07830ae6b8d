import { timeOf } from './dates.js';
import { fieldOf, textOf } from './values.js';

/** The types and statuses of follow-ups that GetBill documents. */
export const followupTypes = [
  'call',
  'email',
  'sms',
  'whatsapp',
  'voicemail',
  'manual_call',
  'physical',
  'postmail',
] as const;

export const followupStatuses = [
  'on_hold',
  'scheduled',
  'in_progress',
  'sent',
  'delivered',
  'deal_found',
  'no_answer',
  'deal_not_found',
  'bad_behavior',
  'failed',
  'cancelled',
] as const;

/** When a follow-up happened, else when it is planned. */
export function followupAt(followup: unknown): unknown {
  const values = ['call_date', 'processed_at', 'scheduled_at'].map((name) =>
    fieldOf(followup, name),
  );
  return values.find((value) => textOf(value) !== undefined);
}

/** Epoch milliseconds; 0 where GetBill gives no time. */
export const followupAtMs = (followup: unknown): number => timeOf(followupAt(followup));

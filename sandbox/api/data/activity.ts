import {
  date,
  daysBefore,
  numberFrom,
  offsetTimestamp,
  opaqueId,
  pick,
  zuluTimestamp,
} from './deterministic.js';
import type { DataInput } from './debts.js';
import type { DebtRecord, Followup, Report } from './types.js';

const statuses = [
  'deal_found',
  'no_answer',
  'scheduled',
  'on_hold',
  'in_progress',
  'sent',
  'delivered',
  'deal_not_found',
  'bad_behavior',
  'failed',
  'cancelled',
] as const;
/** What the one who called or wrote noted down. */
const summaries: Readonly<Record<(typeof statuses)[number], string | null>> = {
  deal_found: 'Agreed to pay in two instalments, the first one this week.',
  no_answer: 'No reaction so far.',
  scheduled: null,
  on_hold: null,
  in_progress: 'Asked for the invoice again; it was sent by email.',
  sent: 'Reminder with the payment link.',
  delivered: 'Reminder with the payment link, delivered.',
  deal_not_found: 'Says that the goods never arrived. Rappel demandé lundi.',
  bad_behavior: 'Did not want to talk about it, and said so.',
  failed: 'Nobody can be reached there.',
  cancelled: 'Paid before this was due.',
};
const types = [
  'call',
  'email',
  'sms',
  'whatsapp',
  'voicemail',
  'manual_call',
  'physical',
  'postmail',
] as const;
const reportStates = ['completed', 'completed', 'generating', 'failed', 'expired'] as const;
const formats = [
  { extension: 'pdf', mime_type: 'application/pdf' },
  {
    extension: 'xlsx',
    mime_type: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  },
  { extension: 'csv', mime_type: 'text/csv' },
  { extension: 'json', mime_type: 'application/json' },
] as const;

/** Two or three for each of the newest debts; each is between the import of its debt and today. */
export function makeFollowups(
  { companyId, count, todayMs }: DataInput,
  debts: readonly DebtRecord[],
): Followup[] {
  return Array.from({ length: count }, (_, index) => {
    const record = debts.at(-1 - (Math.floor(index * 0.4) % debts.length));
    if (record === undefined) throw new Error('a followup needs a debt');
    record.debt.followups_count += 1;
    const type = pick(types, index);
    const voice = type === 'call' || type === 'manual_call';
    const status = pick(statuses, index);
    const done = status !== 'scheduled' && status !== 'on_hold';
    const importedMs = Date.parse(record.debt.import_date);
    const atMs = done
      ? importedMs + ((todayMs - importedMs) * (1 + numberFrom(`done:${index}`, 100))) / 101
      : daysBefore(todayMs, -1 - (index % 7), `planned:${index}`);
    const opened = type === 'email' && index % 2 === 0;
    return {
      id: opaqueId(`followup:${companyId}:${index}`),
      debt_id: record.debt.id,
      status,
      type,
      call_date: done ? offsetTimestamp(atMs) : null,
      scheduled_at: done ? null : offsetTimestamp(atMs),
      summary: summaries[status],
      notes: index % 3 === 0 ? 'See previous call.' : null,
      call_id: voice && done ? `call_${String(index)}` : null,
      audio_url: null,
      pdf_url: null,
      duration_ms: voice && done ? 20_000 + numberFrom(`duration:${index}`, 200_000) : null,
      disconnection_reason: voice && done ? 'completed_successfully' : null,
      direction: voice ? pick(['outbound', 'inbound'] as const, index >> 3) : null,
      phone_number_used: voice ? '+33900000001' : null,
      is_retry: index % 7 === 0,
      processed_at: done ? offsetTimestamp(atMs) : null,
      triggered_payment: status === 'deal_found',
      email_opened: opened,
      email_open_count: opened ? 2 : 0,
      email_first_opened_at: opened ? offsetTimestamp(atMs) : null,
      email_clicked: opened,
      email_click_count: opened ? 1 : 0,
    };
  });
}

/** One at the beginning of each month, for the month before; the newest first. */
export function makeReports({ companyId, count, todayMs }: DataInput): Report[] {
  const today = new Date(todayMs);
  return Array.from({ length: count }, (_, index) => {
    const status = pick(reportStates, index);
    const { extension, mime_type } = pick(formats, index);
    const createdAtMs = Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - index, 1, 0, 5);
    const lastDay = date(createdAtMs - 86_400_000);
    const month = lastDay.slice(0, 7);
    return {
      id: opaqueId(`report:${companyId}:${index}`),
      type: pick(['financial', 'collection'] as const, index),
      title: `Monthly report ${month}`,
      description: `Collection results for ${month}`,
      status,
      filename: `report-${month}.${extension}`,
      file_size: status === 'completed' ? 20_000 + numberFrom(`size:${index}`, 500_000) : 0,
      mime_type,
      period_from: `${month}-01`,
      period_to: lastDay,
      generated_at: status === 'completed' ? zuluTimestamp(createdAtMs + 60_000) : null,
      created_at: zuluTimestamp(createdAtMs),
      download_available: status === 'completed',
    };
  });
}

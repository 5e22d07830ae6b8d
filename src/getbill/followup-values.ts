/** What a follow-up is and where it stands, in GetBill's words. */
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

import { textOf } from './values.js';

export const STATUS_PREFIX = 'status.default.';

/**
 * GetBill's own statuses of a debt, without their prefix. A company may have others, such as
 * `status.custom.legal_action`.
 */
export const debtStatuses = [
  'pending',
  'in_progress',
  'processing',
  'settled',
  'paid',
  'partial',
  'failed',
  'archived',
  'invalid_phone',
  'on_hold',
  'refused',
] as const;

export type DebtStatus = (typeof debtStatuses)[number];

/** Statuses that end a debt. */
const ENDED = new Set(['paid', 'settled', 'archived'].map((name) => STATUS_PREFIX + name));

export const isEnded = (status: unknown): boolean => ENDED.has(textOf(status) ?? '');

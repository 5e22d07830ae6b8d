import { textOf } from '../../getbill/values.js';

export interface Status {
  readonly value: string;
  readonly label: string;
  readonly colour: 'blue' | 'green' | 'purple' | 'red' | 'grey' | 'orange' | 'none';
}

export const statuses: readonly Status[] = [
  { value: 'status.default.pending', label: 'Pending', colour: 'blue' },
  { value: 'status.default.in_progress', label: 'In progress', colour: 'blue' },
  { value: 'status.default.processing', label: 'Processing', colour: 'blue' },
  { value: 'status.default.settled', label: 'Settled', colour: 'green' },
  { value: 'status.default.paid', label: 'Paid', colour: 'green' },
  { value: 'status.default.partial', label: 'Partly paid', colour: 'purple' },
  { value: 'status.default.failed', label: 'Failed', colour: 'red' },
  { value: 'status.default.archived', label: 'Archived', colour: 'grey' },
  { value: 'status.default.invalid_phone', label: 'Invalid contact', colour: 'orange' },
  { value: 'status.default.on_hold', label: 'On hold', colour: 'orange' },
  { value: 'status.default.refused', label: 'Refused', colour: 'red' },
];

/** A company may have statuses of its own: "status.custom.legal_action" reads "Legal action", other shapes stay as they are. */
export function statusOf(value: unknown): Status {
  const text = textOf(value) ?? '';
  return statuses.find((status) => status.value === text) ?? { value: text, label: ownLabel(text), colour: 'none' };
}

function ownLabel(value: string): string {
  if (!value.startsWith('status.')) return value;
  const words = value.slice(value.lastIndexOf('.') + 1).replaceAll('_', ' ');
  return words === '' ? value : words.charAt(0).toUpperCase() + words.slice(1);
}

import { debtStatuses, STATUS_PREFIX, type DebtStatus } from '../../getbill/debt-statuses.js';
import { textOf } from '../../getbill/values.js';
import { capitalised } from './words.js';

export interface Status {
  readonly value: string;
  readonly label: string;
  readonly colour: 'blue' | 'green' | 'purple' | 'red' | 'grey' | 'orange' | 'none';
}

const looks: Readonly<Record<DebtStatus, Omit<Status, 'value'>>> = {
  pending: { label: 'Pending', colour: 'blue' },
  in_progress: { label: 'In progress', colour: 'blue' },
  processing: { label: 'Processing', colour: 'blue' },
  settled: { label: 'Settled', colour: 'green' },
  paid: { label: 'Paid', colour: 'green' },
  partial: { label: 'Partly paid', colour: 'purple' },
  failed: { label: 'Failed', colour: 'red' },
  archived: { label: 'Archived', colour: 'grey' },
  invalid_phone: { label: 'Invalid contact', colour: 'orange' },
  on_hold: { label: 'On hold', colour: 'orange' },
  refused: { label: 'Refused', colour: 'red' },
};

export const statuses: readonly Status[] = debtStatuses.map((name) => ({
  value: `${STATUS_PREFIX}${name}`,
  ...looks[name],
}));

/**
 * A company may have statuses of its own: "status.custom.legal_action" reads "Legal action", other
 * shapes stay as they are.
 */
export function statusOf(value: unknown): Status {
  const text = textOf(value) ?? '';
  return (
    statuses.find((status) => status.value === text) ?? {
      value: text,
      label: ownLabel(text),
      colour: 'none',
    }
  );
}

function ownLabel(value: string): string {
  if (!value.startsWith('status.')) return value;
  const words = value.slice(value.lastIndexOf('.') + 1).replaceAll('_', ' ');
  return capitalised(words) || value;
}

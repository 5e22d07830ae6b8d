import { dayOf } from '../../getbill/dates.js';
import { isEnded } from '../../getbill/debt-statuses.js';
import { fieldOf, textOf } from '../../getbill/values.js';
import type { DateText } from './formats.js';
import { isStatus, listHref } from './list-place.js';
import type { Reader } from './reader.js';
import { statusOf, type Status } from './statuses.js';

const DAY_MS = 86_400_000;

/** One row of the list; what GetBill did not give is `undefined`. */
export interface DebtRow {
  readonly name: string;
  /** Missing where the id is none that an address can hold. */
  readonly href: string | undefined;
  readonly company: string | undefined;
  readonly reference: string | undefined;
  readonly due: DateText | undefined;
  /** "12 days overdue"; missing for a debt that has ended. */
  readonly overdue: string | undefined;
  readonly status: Status | undefined;
  /** The list of all debts with this status. */
  readonly statusHref: string | undefined;
  readonly amount: string | undefined;
}

const NO_NAME = 'No name given';

/** The person, else the company; never blank, because the name is what is clicked. */
export function nameOf(
  debt: unknown,
  { civility = false } = {},
): { person: string | undefined; name: string } {
  const own = (name: string): string | undefined => textOf(fieldOf(debt, name));
  const given = [own('firstname'), own('lastname')].filter((text) => text !== undefined);
  const title = civility ? own('civility') : undefined; // no name by itself
  const person = given.length > 0 ? [title, ...given].filter(Boolean).join(' ') : undefined;
  return { person, name: person ?? textOf(fieldOf(debt, 'debtor_company')) ?? NO_NAME };
}

/** `from`: the list that a debt's page leads back to. */
export function debtRow(debt: unknown, reader: Reader, from = ''): DebtRow {
  const { formats } = reader;
  const field = (name: string): unknown => fieldOf(debt, name);
  const { name } = nameOf(debt);
  const company = textOf(field('debtor_company'));
  return {
    name,
    href: hrefOf(field('id'), from),
    company: company === name ? undefined : company,
    reference: textOf(field('invoice_reference')) ?? textOf(field('internal_id')),
    due: formats.date(field('due_date')),
    overdue: overdueText(debt, reader),
    ...statusAndHref(debt),
    amount: amountText(debt, reader),
  };
}

export function statusAndHref(debt: unknown): Pick<DebtRow, 'status' | 'statusHref'> {
  const status = textOf(fieldOf(debt, 'status'));
  return {
    status: status === undefined ? undefined : statusOf(status),
    statusHref: isStatus(status) ? listHref({ status }) : undefined,
  };
}

export function amountText(debt: unknown, { formats }: Reader): string | undefined {
  const field = (name: string): unknown => fieldOf(debt, name);
  return formats.money(field('amount'), field('currency'), field('amount_text'));
}

export function overdueText(debt: unknown, { formats, nowMs }: Reader): string | undefined {
  const due = dayOf(fieldOf(debt, 'due_date'));
  if (due === undefined || isEnded(fieldOf(debt, 'status'))) return undefined;
  const days = Math.floor((nowMs - due.getTime()) / DAY_MS);
  if (days <= 0) return undefined;
  return days === 1 ? '1 day overdue' : `${formats.count(days)} days overdue`;
}

const ID = /^[A-Za-z0-9_-]{1,128}$/;

/** Ids are opaque and URL-safe; anything else has no page of ours. */
function hrefOf(id: unknown, from: string): string | undefined {
  const text = textOf(id) ?? '';
  if (!ID.test(text)) return undefined;
  return from === '' ? `/debts/${text}` : `/debts/${text}?from=${encodeURIComponent(from)}`;
}

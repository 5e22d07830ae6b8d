import type { AppClient } from '../getbill/app-client.js';
import type { WebhookEvent } from './envelope.js';
import type { Attempt } from './handle-entry.js';

export interface HandlerContext extends Attempt {
  /** The company whose secret signed the event: never what the body says. */
  readonly companyId: string;
  /** The API with the app's own token: of the company that owns the client, whoever signed this. */
  readonly api: AppClient;
  /**
   * Every process drops what it has cached of the company, and tells those of its people who look.
   */
  readonly announce: (event: WebhookEvent) => Promise<void>;
}

type Handler = (event: WebhookEvent, context: HandlerContext) => Promise<void>;

const announce: Handler = (event, context) => context.announce(event);

/**
 * The handler of each event: the list to edit. An event is a hint (it may come late, twice, or out
 * of order), so a handler reads the truth through `api`, and must not mind being called twice: a
 * process may die after the effect. A type without a handler is stored and counts as handled.
 */
export const handlers: Readonly<Record<string, Handler>> = {
  'debt.created': announce,
  'debt.updated': announce,
  'debt.status_changed': announce,
  'followup.created': announce,
  'followup.updated': announce,
  'followup.completed': announce,
  'followup.failed': announce,
  'payment.received': announce,
  'payment.failed': announce,
  'payment_plan.created': announce,
  'payment_plan.completed': announce,
  'payment_plan.canceled': announce,
  'company.credits_low': announce,
  'report.generated': announce,
};

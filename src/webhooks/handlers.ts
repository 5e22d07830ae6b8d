import type { WebhookEvent } from './envelope.js';

export interface HandlerContext {
  /** The company whose secret signed the event: never what the body says. */
  readonly companyId: string;
  /** Drops what is cached of this company, so that the next page reads the truth. */
  readonly forgetCompany: (companyId: string) => Promise<void>;
}

type Handler = (event: WebhookEvent, context: HandlerContext) => Promise<void>;

const forgetCachedReads: Handler = async (_event, { companyId, forgetCompany }) => forgetCompany(companyId);

/**
 * What happens on which event: the list to edit. An event is a hint (it may come late, twice, or out of order), so a
 * handler reads the truth through the API, and must not mind being called twice: a process may die after the effect.
 * A type without a handler is stored and counts as handled.
 */
export const handlers: Readonly<Record<string, Handler>> = {
  'debt.created': forgetCachedReads,
  'debt.updated': forgetCachedReads,
  'debt.status_changed': forgetCachedReads,
  'followup.created': forgetCachedReads,
  'followup.updated': forgetCachedReads,
  'followup.completed': forgetCachedReads,
  'followup.failed': forgetCachedReads,
  'payment.received': forgetCachedReads,
  'payment.failed': forgetCachedReads,
  'payment_plan.created': forgetCachedReads,
  'payment_plan.completed': forgetCachedReads,
  'payment_plan.canceled': forgetCachedReads,
  'company.credits_low': forgetCachedReads,
};

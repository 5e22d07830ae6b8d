import { hash } from 'node:crypto';
import { fieldOf, isRecord } from '../getbill/values.js';

/** A verified delivery, as far as GetBill documents it: JSON with at least `type` and `data`. */
export interface WebhookEvent {
  readonly type: string;
  /** As it came. A hint: what is true is read again through the API. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** The types GetBill documents. Others are stored and acknowledged, too. */
export const documentedTypes = [
  'debt.created',
  'debt.updated',
  'debt.status_changed',
  'followup.created',
  'followup.updated',
  'followup.completed',
  'followup.failed',
  'payment.received',
  'payment.failed',
  'payment_plan.created',
  'payment_plan.completed',
  'payment_plan.canceled',
  'company.credits_low',
  'report.generated',
] as const;

/** Wider than documented, so that a new kind of name is not refused; harmless in logs and pages. */
const TYPE = /^[\w.:-]{1,64}$/;
const MAX_ID_LENGTH = 256;

interface Envelope {
  readonly event: WebhookEvent;
  /** The body as text, without a byte order mark. */
  readonly text: string;
  /** Equal for equal deliveries: of the id in the signed body, or of the body without an id. */
  readonly identity: string;
  /** Epoch milliseconds by `timeField`, NaN when unreadable; `undefined` without that field. */
  readonly happenedAtMs: number | undefined;
}

/**
 * Reads a body whose signature was verified. `undefined`: not JSON, not an object, wrong types.
 * @param idField where the id of the event is (GetBill documents none); empty: nowhere.
 * @param timeField where its time is, in epoch seconds or ISO 8601; empty: nowhere.
 */
export function readEnvelope(
  rawBody: Buffer,
  { idField, timeField }: { idField: string; timeField: string },
): Envelope | undefined {
  const text = textFrom(rawBody);
  if (text === undefined) return undefined;
  const body = objectFrom(text);
  if (body === undefined) return undefined;
  const { type, data } = body;
  if (typeof type !== 'string' || !TYPE.test(type) || !isRecord(data)) return undefined;
  const id = memberAt(body, idField);
  const time = memberAt(body, timeField);
  return {
    event: { type, data },
    text,
    identity: isId(id)
      ? hash('sha256', JSON.stringify([type, id]), 'base64url')
      : hash('sha256', rawBody, 'base64url'),
    happenedAtMs: timeField === '' ? undefined : instantOf(time),
  };
}

/** The id of the thing an event is about: `data.id`, where it is one. */
export function subjectOf({ data }: WebhookEvent): string | undefined {
  const id = fieldOf(data, 'id');
  return typeof id === 'string' && /^[\w-]{1,128}$/.test(id) ? id : undefined;
}

function textFrom(rawBody: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(rawBody);
  } catch {
    return undefined;
  }
}

/** `path` is a name, or names separated by dots. */
function memberAt(body: Readonly<Record<string, unknown>>, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => fieldOf(value, name), body);
}

function objectFrom(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isId = (id: unknown): id is string | number =>
  (typeof id === 'string' && id !== '' && id.length <= MAX_ID_LENGTH) || Number.isSafeInteger(id);

function instantOf(time: unknown): number {
  if (typeof time === 'number') return time * 1000;
  const zoned =
    typeof time === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)$/.test(time);
  return zoned ? Date.parse(time) : NaN;
}

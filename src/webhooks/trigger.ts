import { randomUUID } from 'node:crypto';
import { AppError } from '../errors.js';
import { fieldOf, isRecord } from '../getbill/values.js';
import { signatureOf } from './signature.js';

const DEADLINE_MS = 10_000;

/** What to do when the app refuses a webhook that was sent to try it. */
const hintsByStatus: Readonly<Record<number, string>> = {
  400: 'its type has 1 to 64 of A-Z a-z 0-9 _ . : -, its data is an object, and its time is the present',
  401: 'the app has another secret than this environment: compare GETBILL_WEBHOOK_SECRET of both',
  404: 'the app has no such endpoint: set GETBILL_WEBHOOK_SECRET there, or check --endpoint and --url',
  503: 'the app could not store it: look at its Redis',
};

/** Sends a signed event as GetBill does, and returns the response. @throws {AppError} not taken. */
export async function sendWebhook(
  event: object,
  { url, secret }: { url: URL; secret: string },
): Promise<string> {
  const body = Buffer.from(JSON.stringify({ sent: randomUUID(), ...event }));
  const request: RequestInit = {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-getbill-signature': signatureOf(body, secret),
    },
    body: new Uint8Array(body),
    redirect: 'manual',
    signal: AbortSignal.timeout(DEADLINE_MS),
  };
  const { status, ok, text } = await responseTo(url, request).catch((cause: unknown) => {
    const hint = 'start the app, or say with --url where it is';
    const options = { code: 'webhook_not_taken', status: 502, hint, cause };
    throw new AppError(`${url.origin} did not respond`, options);
  });
  if (ok) return `${status} ${text.slice(0, 200)}`;
  throw new AppError(`${url.href} answered ${status}, not 200`, {
    code: 'webhook_not_taken',
    status,
    hint: hintsByStatus[status] ?? 'the log of the app says why',
  });
}

/**
 * Adds `value` at `path`, which is as in `GETBILL_WEBHOOK_TIME_FIELD`; empty: nowhere. A value that
 * is there stays, so that an old event can be tried.
 */
export function withMember(body: object, path: string, value: string): object {
  if (path === '') return body;
  const [name = '', ...rest] = path.split('.');
  if (rest.length === 0) return { [name]: value, ...body };
  const inner = fieldOf(body, name);
  return { ...body, [name]: withMember(isRecord(inner) ? inner : {}, rest.join('.'), value) };
}

async function responseTo(url: URL, request: RequestInit) {
  const response = await fetch(url, request);
  return { status: response.status, ok: response.ok, text: await response.text() };
}

import type { Readable } from 'node:stream';
import { UnavailableError } from '../errors.js';
import { parseRetryAfter } from '../core/oauth/retry-after.js';
import { decodeWhole } from './content-coding.js';
import { textIn } from './response-text.js';
import type { ResponseHead } from './upstream-attempt.js';
import type { UpstreamResponse } from './upstream-call.js';
import { fieldOf } from './values.js';

/**
 * A response of the API that may be passed on: JSON, in its original bytes. Up to 64 KiB it is
 * whole, and judged.
 */
export interface ApiResponse {
  /** GetBill's, or what its envelope says where HTTP says 200 and the body `"error": true`. */
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer | Readable;
  /** The parsed body of a whole response. */
  readonly json: unknown;
  /** The `WWW-Authenticate` of a 403 (RFC 6750 section 3), which is not passed on. */
  readonly challenge?: string | undefined;
}

const PASSED_ON = [
  'content-type',
  'content-encoding',
  'retry-after',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'x-ratelimit-window',
];

/** No request of ours has a condition, a range or a form to empty. */
const UNASKED = new Set([205, 206, 226, 304]);

/**
 * About GetBill's connection to us, not the request. A browser would send the request again, a
 * write too.
 */
const ABOUT_CONNECTION = new Set([407, 408, 421, 425]);

/** @throws {UnavailableError} 502: a status that cannot be passed on. */
export function acceptHead({ status, headers }: ResponseHead): void {
  if (UNASKED.has(status) || ABOUT_CONNECTION.has(status) || status < 200 || status > 599)
    throw unusable('answer_status_unexpected');
  if (status >= 300 && status < 400) throw unusable('answer_redirects');
  if (status >= 500) throw unusable('getbill_error', { retryAfterS: waitOf(headers) });
}

/** `NaN` instead of our clock: a date counts only beside the response's own `Date`. */
const waitOf = ({ date, 'retry-after': value }: ResponseHead['headers']): number | undefined =>
  parseRetryAfter(value, { nowMs: NaN, date }) || undefined;

/**
 * Acted on by the status alone: the token is renewed, calls pause. A gateway's page then counts as
 * no body.
 */
const SAID_BY_STATUS = new Set([401, 429]);

/** @throws {UnavailableError} 502: not JSON, broken, or contradicting itself. */
export function judgeResponse(response: UpstreamResponse): ApiResponse {
  try {
    return judge(response);
  } catch (error) {
    const { status, headers } = response;
    if (!SAID_BY_STATUS.has(status)) throw error;
    return withoutBody(status, passedOn(headers));
  }
}

function judge({ status, headers, body }: UpstreamResponse): ApiResponse {
  const kept = passedOn(headers);
  if (Buffer.isBuffer(body)) return judgeWhole(status, kept, body);
  if (isJson(kept['content-type'])) return { status, headers: kept, body, json: undefined };
  body.destroy();
  throw unusable('answer_not_json');
}

function judgeWhole(status: number, headers: Record<string, string>, body: Buffer): ApiResponse {
  if (body.length === 0) return withoutBody(status, headers);
  if (!isJson(headers['content-type'])) throw unusable('answer_not_json');
  const decoded = decodeWhole(body, headers['content-encoding']);
  if (decoded === undefined) return { status, headers, body, json: undefined };
  const json = parseJson(decoded, headers['content-type']);
  return { status: statusOf(status, json), headers, body, json };
}

function withoutBody(status: number, headers: Record<string, string>): ApiResponse {
  delete headers['content-type'];
  delete headers['content-encoding'];
  return { status, headers, body: Buffer.alloc(0), json: undefined };
}

/**
 * GetBill's envelope repeats the HTTP status as `code`; where they differ, an error stays an error.
 */
function statusOf(status: number, json: unknown): number {
  if (status >= 300 || fieldOf(json, 'error') !== true) return status;
  const code = fieldOf(json, 'code');
  const isStatus = typeof code === 'number' && Number.isInteger(code) && code >= 400 && code < 600;
  if (!isStatus) throw unusable('answer_contradicts_itself');
  acceptHead({ status: code, headers: {} });
  return code;
}

/**
 * A byte order mark is allowed to be ignored (RFC 8259 section 8.1).
 * @throws {UnavailableError} 502: not JSON.
 */
export function parseJson(bytes: Buffer, contentType: string | undefined): unknown {
  try {
    return JSON.parse(textIn(bytes, contentType)) as unknown;
  } catch (cause) {
    throw unusable('answer_not_json', { cause });
  }
}

function passedOn(headers: UpstreamResponse['headers']): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = headers[name];
    const one = Array.isArray(value) ? oneOf(name, value) : value;
    if (one !== undefined) kept[name] = one;
  }
  return kept;
}

/**
 * A header that a gateway repeats counts once; several codings are a list of what was done to the
 * body.
 */
function oneOf(name: string, values: readonly string[]): string | undefined {
  if (name === 'content-encoding') return values.join(', ');
  return new Set(values).size === 1 ? values[0] : undefined;
}

const isJson = (type: string | undefined): boolean =>
  /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type ?? '');

const unusable = (
  code: string,
  options: { cause?: unknown; retryAfterS?: number | undefined } = {},
): UnavailableError =>
  new UnavailableError('the GetBill API gave a response that cannot be passed on', {
    code,
    status: 502,
    ...options,
  });

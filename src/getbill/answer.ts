import type { Readable } from 'node:stream';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { UnavailableError } from '../errors.js';
import type { AnswerHead, UpstreamAnswer } from './exchange.js';
import { unavailableBecause } from './unavailable.js';

const DECODED_LIMIT = 1024 * 1024;

/** An answer of the API that may be passed on: JSON, in its original bytes. Up to 64 KiB it is whole, and judged. */
export interface ApiAnswer {
  /** GetBill's, or what its envelope says where HTTP says 200 and the body `"error": true`. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | Readable;
  /** The parsed body of a whole answer. */
  readonly json: unknown;
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

/** Of the encodings a browser accepts, those that `judge` can read: with `zstd` its small answers would be unreadable. */
export function readableEncodings(accepted: string | undefined): string {
  const kept = (accepted ?? '').split(',').filter((one) => /^\s*(gzip|br|deflate|identity)\s*(;|$)/i.test(one));
  return kept.map((one) => one.trim()).join(', ') || 'identity';
}

/** @throws {UnavailableError} 502: a redirect, a server error: nothing that need be read. */
export function acceptHead({ status }: AnswerHead): void {
  if (status >= 300 && status < 400 && status !== 304) throw unusable('answer_redirects');
  if (status >= 500) throw unusable('getbill_error');
}

/** @throws {UnavailableError} 502: not JSON, broken, or contradicting itself. */
export function judge({ status, headers, body }: UpstreamAnswer): ApiAnswer {
  const kept = passedOn(headers);
  if (Buffer.isBuffer(body)) return judgeWhole(status, kept, body);
  if (isJson(kept['content-type'])) return { status, headers: kept, body, json: undefined };
  body.destroy();
  throw unusable('answer_not_json');
}

function judgeWhole(status: number, headers: Record<string, string>, body: Buffer): ApiAnswer {
  if (body.length === 0) {
    delete headers['content-type'];
    return { status, headers, body, json: undefined };
  }
  if (!isJson(headers['content-type'])) throw unusable('answer_not_json');
  const text = decoded(body, headers['content-encoding']);
  if (text === undefined) return { status, headers, body, json: undefined };
  const json = parse(text);
  return { status: statusOf(status, json), headers, body, json };
}

/** GetBill's envelope repeats the HTTP status as `code`; where they differ, an error stays an error. */
function statusOf(status: number, json: unknown): number {
  const { error, code } = (typeof json === 'object' && json !== null ? json : {}) as {
    error?: unknown;
    code?: unknown;
  };
  if (status >= 300 || error !== true) return status;
  if (typeof code !== 'number' || code < 400 || code > 599) throw unusable('answer_contradicts_itself');
  if (code >= 500) throw unusable('getbill_error');
  return code;
}

/** `undefined`: too long to be judged, like an answer of that length that comes uncompressed. */
function decoded(bytes: Buffer, encoding: string | undefined): Buffer | undefined {
  const options = { maxOutputLength: DECODED_LIMIT };
  try {
    switch (encoding?.toLowerCase()) {
      case undefined:
      case 'identity':
        return bytes;
      case 'gzip':
        return gunzipSync(bytes, options);
      case 'br':
        return brotliDecompressSync(bytes, options);
      case 'deflate':
        return inflateSync(bytes, options);
      default:
        throw unusable('answer_not_json');
    }
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw unavailableBecause(error);
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw unusable('answer_not_json');
  }
}

function passedOn(headers: UpstreamAnswer['headers']): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = headers[name];
    if (typeof value === 'string') kept[name] = value;
  }
  return kept;
}

const isJson = (type: string | undefined): boolean => /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type ?? '');

const unusable = (code: string): UnavailableError =>
  new UnavailableError('the GetBill API gave an answer that cannot be passed on', { code, status: 502 });

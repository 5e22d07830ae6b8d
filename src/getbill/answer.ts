import { Readable } from 'node:stream';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { UnavailableError } from '../errors.js';
import { unavailableBecause, type UpstreamAnswer } from './upstream.js';

const WHOLE_LIMIT = 64 * 1024;
const DECODED_LIMIT = 1024 * 1024;
const STREAM_LIMIT = 16 * 1024 * 1024;

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

/** Of the encodings a browser accepts, those that `readAnswer` can judge: with `zstd` its small answers would be unreadable. */
export function readableEncodings(accepted: string | undefined): string {
  const kept = (accepted ?? '').split(',').filter((one) => /^\s*(gzip|br|deflate|identity)\s*(;|$)/i.test(one));
  return kept.map((one) => one.trim()).join(', ') || 'identity';
}

/** @throws {UnavailableError} 502: a redirect, a server error, not JSON, broken or too large; 504: too slow. */
export async function readAnswer(upstream: UpstreamAnswer): Promise<ApiAnswer> {
  const { status, headers, body } = upstream;
  try {
    if (status >= 300 && status < 400 && status !== 304) throw unusable('answer_redirects');
    if (status >= 500) throw unusable('getbill_error');
    if (Number(headers['content-length'] ?? 0) > STREAM_LIMIT) throw unusable('answer_too_large');

    if (Number(headers['content-length'] ?? Infinity) <= WHOLE_LIMIT)
      return whole(status, headers, await upstream.whole());

    const chunks: Buffer[] = [];
    let length = 0;
    const source = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    for (let next = await source.next(); !next.done; next = await source.next()) {
      chunks.push(next.value);
      length += next.value.length;
      if (length > WHOLE_LIMIT) {
        if (!isJson(headers['content-type'])) throw unusable('answer_not_json');
        return { status, headers: passedOn(headers), body: rest(chunks, source, body), json: undefined };
      }
    }
    return whole(status, headers, Buffer.concat(chunks));
  } catch (error) {
    discard(body);
    throw unavailableBecause(error);
  }
}

function whole(status: number, headers: UpstreamAnswer['headers'], bytes: Buffer): ApiAnswer {
  const kept = passedOn(headers);
  if (bytes.length === 0) {
    delete kept['content-type'];
    return { status, headers: kept, body: bytes, json: undefined };
  }
  if (!isJson(headers['content-type'])) throw unusable('answer_not_json');
  const text = decoded(bytes, headers['content-encoding']);
  if (text === undefined) return { status, headers: kept, body: bytes, json: undefined };
  const json = parse(text);
  return { status: statusOf(status, json), headers: kept, body: bytes, json };
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
function decoded(bytes: Buffer, encoding: string | string[] | undefined): Buffer | undefined {
  const options = { maxOutputLength: DECODED_LIMIT };
  try {
    switch (encoding?.toString().toLowerCase()) {
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
    throw error;
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw unusable('answer_not_json');
  }
}

/** What was read to judge it, then the rest; cut past the limit. */
function rest(chunks: Buffer[], source: AsyncIterator<Buffer>, body: Readable): Readable {
  async function* all(): AsyncGenerator<Buffer> {
    let length = 0;
    try {
      for (const chunk of chunks) {
        length += chunk.length;
        yield chunk;
      }
      for (let next = await source.next(); !next.done; next = await source.next()) {
        length += next.value.length;
        if (length > STREAM_LIMIT) throw unusable('answer_too_large');
        yield next.value;
      }
    } catch (error) {
      throw unavailableBecause(error);
    } finally {
      discard(body);
    }
  }
  return Readable.from(all(), { objectMode: false });
}

/** Closes its connection; undici reports that as an error, which nobody else is there to hear. */
function discard(body: Readable): void {
  body.on('error', () => undefined).destroy();
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

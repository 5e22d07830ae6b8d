import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { UnavailableError } from '../errors.js';

/** Decoding and parsing block the event loop, so a longer response is passed on unjudged. */
const DECODED_LIMIT = 256 * 1024;

/** The encodings that the browser accepts and `decodeWhole` knows, so that it can be judged. */
export function readableEncodings(accepted: string | undefined): string {
  const kept = (accepted ?? '')
    .split(',')
    .filter((one) => /^\s*(gzip|br|deflate|identity)\s*(;|$)/i.test(one));
  return kept.map((one) => one.trim()).join(', ') || 'identity';
}

/**
 * A whole body without its `Content-Encoding` (RFC 9110 section 8.4.1: any case, `x-gzip` is gzip).
 * `undefined`: longer than `maxBytes` when decoded.
 * @throws {UnavailableError} 502: another coding, several of them, or broken data.
 */
export function decodeWhole(
  bytes: Buffer,
  encoding: string | string[] | undefined,
  maxBytes = DECODED_LIMIT,
): Buffer | undefined {
  const decode = DECODERS.get(
    String(encoding ?? 'identity')
      .trim()
      .toLowerCase(),
  );
  if (decode === undefined) throw undecodable();
  try {
    return decode(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw undecodable(error);
  }
}

type Decode = (bytes: Buffer, limit: { maxOutputLength: number }) => Buffer;

const gunzip: Decode = (bytes, limit) => gunzipSync(bytes, limit);
const DECODERS = new Map<string, Decode>([
  ['', (bytes) => bytes],
  ['identity', (bytes) => bytes],
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['br', (bytes, limit) => brotliDecompressSync(bytes, limit)],
  ['deflate', inflate],
]);

/** RFC 9110 means the zlib format; some servers send the raw one. */
function inflate(...[bytes, limit]: Parameters<Decode>): Buffer {
  try {
    return inflateSync(bytes, limit);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'Z_DATA_ERROR') throw error;
    return inflateRawSync(bytes, limit);
  }
}

const undecodable = (cause?: unknown): UnavailableError =>
  new UnavailableError('the encoding of the response cannot be read', {
    code: 'answer_not_json',
    status: 502,
    cause,
  });

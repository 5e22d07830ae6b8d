import { TextDecoder } from 'node:util';
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';

/** No real response of a token endpoint comes near it; a longer one is not read. */
const MAX_BYTES = 64 * 1024;

/** An HTTP response, its body read whole. Header names are in lower case. */
export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array | string;
}

/**
 * The text of a response, whatever `Content-Encoding`, charset and byte order mark it came with: a server may ignore
 * "Accept-Encoding: identity". `undefined` when it cannot be read or is too long.
 */
export function bodyText({ headers = {}, body }: HttpResponse): string | undefined {
  if (typeof body === 'string') return body.replace(/^\ufeff/, '');
  try {
    const encodings = oneText(headers['content-encoding']).toLowerCase().split(',').reverse(); // the last one applied comes off first
    let bytes = body;
    for (const encoding of encodings) bytes = decode(bytes, encoding.trim());
    return bytes.length > MAX_BYTES
      ? undefined
      : decoderFor(bytes, oneText(headers['content-type'])).decode(bytes);
  } catch {
    return undefined;
  }
}

function decode(bytes: Uint8Array, encoding: string): Uint8Array {
  const options = { maxOutputLength: MAX_BYTES };
  switch (encoding) {
    case '':
    case 'identity':
      return bytes;
    case 'gzip':
    case 'x-gzip':
      return gunzipSync(bytes, options);
    case 'br':
      return brotliDecompressSync(bytes, options);
    case 'deflate': // zlib by the RFC, without its header by some servers
      return ((bytes[0] ?? 0) & 0x0f) === 8
        ? inflateSync(bytes, options)
        : inflateRawSync(bytes, options);
    default:
      throw new TypeError('unknown Content-Encoding');
  }
}

/** TextDecoder drops the byte order mark. JSON is UTF-8 (RFC 8259 section 8.1) unless the response says otherwise. */
function decoderFor(bytes: Uint8Array, contentType: string): TextDecoder {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be');
  const [, charset = 'utf-8'] = /;\s*charset\s*=\s*"?([\w-]+)/i.exec(contentType) ?? [];
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}

const oneText = (value: string | string[] | undefined): string =>
  Array.isArray(value) ? value.join(',') : (value ?? '');

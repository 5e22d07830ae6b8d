import { TextDecoder } from 'node:util';
import type { IncomingHttpHeaders } from 'node:http';
import { decodeWhole } from './content-coding.js';

/** No real response of a token endpoint comes near it; a longer one is not read. */
const MAX_BYTES = 64 * 1024;

/**
 * The text of a response, whatever `Content-Encoding`, charset and byte order mark it came with: a
 * server may ignore "Accept-Encoding: identity". "" when it cannot be read or is too long.
 */
export function responseText(headers: IncomingHttpHeaders, body: Buffer): string {
  const coding: string | string[] = headers['content-encoding'] ?? []; // of two lines undici makes a list
  const encodings = [coding].flat().join().split(',');
  let bytes: Buffer | undefined = body;
  try {
    for (const encoding of encodings.reverse()) bytes = bytes && decodeWhole(bytes, encoding); // the last applied comes off first
  } catch {
    return '';
  }
  if (bytes === undefined || bytes.length > MAX_BYTES) return '';
  return textIn(bytes, headers['content-type']);
}

/** The text of the bytes in the charset that the media type names, without its byte order mark. */
export const textIn = (bytes: Buffer, contentType = ''): string =>
  decoderFor(bytes, contentType).decode(bytes);

const UTF_8 = new TextDecoder();

/** TextDecoder drops the byte order mark. JSON is UTF-8 (RFC 8259 section 8.1) unless the response says otherwise. */
function decoderFor(bytes: Buffer, contentType: string): TextDecoder {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be');
  const [, charset = 'utf-8'] = /;\s*charset\s*=\s*"?([\w-]+)/i.exec(contentType) ?? [];
  if (/^utf-?8$/i.test(charset)) return UTF_8;
  try {
    return new TextDecoder(charset);
  } catch {
    return UTF_8;
  }
}

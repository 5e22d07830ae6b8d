import { TextDecoder } from 'node:util';
import type { IncomingHttpHeaders } from 'node:http';
import { decodeWhole } from './content-coding.js';

/** No real response of a token endpoint comes near it; a longer one is not decoded. */
const MAX_BYTES = 64 * 1024;

/**
 * The text of a response, whatever `Content-Encoding`, charset and byte order mark it came with: a
 * server may ignore "Accept-Encoding: identity". "" when it cannot be read or is too long.
 */
export function responseText(headers: IncomingHttpHeaders, body: Buffer): string {
  // undici makes a list of two header lines
  const coding: string | string[] = headers['content-encoding'] ?? [];
  const encodings = [coding].flat().join().split(',');
  let bytes: Buffer | undefined = body;
  try {
    // the last applied comes off first
    for (const encoding of encodings.reverse())
      bytes = bytes && decodeWhole(bytes, encoding, MAX_BYTES);
  } catch {
    return '';
  }
  if (bytes === undefined) return '';
  return textIn(bytes, headers['content-type']);
}

/** The text of the bytes in the charset that the media type names, without its byte order mark. */
export const textIn = (bytes: Buffer, contentType = ''): string =>
  decoderFor(bytes, contentType).decode(bytes);

const UTF_8 = new TextDecoder();

/**
 * TextDecoder drops the byte order mark. JSON begins with an ASCII character, so its first bytes
 * tell UTF-16 from UTF-8, also where "charset=utf-16" leaves the byte order open or is not true.
 */
function decoderFor(bytes: Buffer, contentType: string): TextDecoder {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || second === 0) return new TextDecoder('utf-16le');
  if ((first === 0xfe && second === 0xff) || first === 0) return new TextDecoder('utf-16be');
  const [, charset = 'utf-8'] = /;\s*charset\s*=\s*"?([\w-]+)/i.exec(contentType) ?? [];
  if (/^utf-?(8|16)/i.test(charset)) return UTF_8;
  try {
    return new TextDecoder(charset);
  } catch {
    return UTF_8;
  }
}

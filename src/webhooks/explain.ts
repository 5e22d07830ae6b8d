import { signatureFault } from './signature.js';

/** The fault of a signature, with its cause and fix; none when it `fits`. */
export interface Explanation {
  readonly fits: boolean;
  readonly text: string;
}

/** Tries the usual mistakes until one makes the signature fit. Never shows the secret. */
export function explainSignature(
  body: Buffer,
  header: string,
  secrets: readonly string[],
): Explanation {
  const fits = (bytes: Buffer, signature: string, keys = secrets): boolean =>
    signatureFault(bytes, signature, keys) === undefined;
  if (fits(body, header)) return { fits: true, text: 'The signature fits these bytes.' };

  const bare = header.trim().replace(/^"(.*)"$/, '$1');
  const withoutPrefix = bare.replace(/^(sha256=|v1[=,])/i, '');
  const signature = withoutPrefix.toLowerCase();
  if (fits(body, signature)) {
    const faults = [
      ...(header === bare ? [] : ['has spaces or quotes around it']),
      ...(withoutPrefix === bare ? [] : ['has a prefix (sha256=), which GetBill does not send']),
      ...(withoutPrefix === signature ? [] : ['is written in upper case']),
    ];
    return no(
      `The header ${faults.join(', and ')}; otherwise it fits. Send 64 lower-case hex digits and nothing else.`,
    );
  }
  if (/^[\w+/-]{43}=?$/.test(bare))
    return no('The header is base64. GetBill writes the HMAC as 64 lower-case hex digits.');
  if (signatureFault(body, signature, secrets) === 'malformed')
    return no('The header is not 64 hex digits: it is no HMAC-SHA256 in hex.');

  for (const [what, altered] of alteredSecrets(secrets)) {
    if (fits(body, signature, altered))
      return no(`It fits with ${what}. Set the secret without it, on the side where it is.`);
  }
  for (const [what, altered] of alteredBodies(body)) {
    if (fits(altered, signature)) {
      return no(
        `It fits the body ${what}: these are not the bytes that were signed. Take the raw body, before anything parses it.`,
      );
    }
  }
  if (fits(Buffer.alloc(0), signature))
    return no('It is the signature of an empty body: the body was read before it was verified.');
  return no(
    'It fits neither these bytes nor any usual mistake: the secret is another one, or the body is another one.',
  );
}

const no = (text: string): Explanation => ({ fits: false, text });

function alteredSecrets(secrets: readonly string[]): [what: string, secrets: string[]][] {
  return [
    ['a line break at the end of the secret', secrets.map((text) => `${text}\n`)],
    ['a Windows line break at the end of the secret', secrets.map((text) => `${text}\r\n`)],
    ['a space at the end of the secret', secrets.map((text) => `${text} `)],
    ['quotes around the secret', secrets.flatMap((text) => [`"${text}"`, `'${text}'`])],
    ['nothing as the secret: it is empty where the signature was made', ['']],
  ];
}

/** Bodies that look the same and are not, with what was done to them. */
function alteredBodies(body: Buffer): [what: string, body: Buffer][] {
  const text = body.toString('utf8');
  const altered: [string, Buffer][] = [
    ['without the line break at its end', Buffer.from(text.replace(/\r?\n$/, ''))],
    ['with a line break at its end', Buffer.from(`${text}\n`)],
    ['with Windows line breaks', Buffer.from(text.replaceAll(/\r?\n/g, '\r\n'))],
    ['with Unix line breaks', Buffer.from(text.replaceAll('\r\n', '\n'))],
    ['without the mark at its beginning (BOM)', Buffer.from(text.replace(/^\uFEFF/, ''))],
  ];
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    const compact = JSON.stringify(value);
    altered.push(
      ['parsed and written again (JSON.stringify)', Buffer.from(compact)],
      ['written with two spaces', Buffer.from(JSON.stringify(value, undefined, 2))],
      [
        'written as Python does',
        Buffer.from(
          JSON.stringify(value, undefined, 1)
            .replaceAll(/\n */g, ' ')
            .replaceAll(/([[{]) | ([\]}])/g, '$1$2'),
        ),
      ],
      ['written as PHP does (slashes escaped)', Buffer.from(compact.replaceAll('/', '\\/'))],
      [
        'with letters beyond ASCII escaped',
        Buffer.from(
          compact.replaceAll(
            /[\u0080-\uffff]/g,
            (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
          ),
        ),
      ],
    );
  } catch {
    // no JSON: nothing to write again
  }
  return altered;
}

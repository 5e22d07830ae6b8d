import { cleaned, maskedUrl, type Mask } from './masking.js';
import type { Message } from './step.js';

type Headers = Readonly<Record<string, number | string | readonly string[] | undefined>>;

/** The headers in `shown`, as they were; cookies and tokens masked. */
export function maskedHeaders(
  headers: Headers,
  shown: readonly string[],
  mask: Mask,
): Message['headers'] {
  return shown.flatMap((name) => {
    const value = headers[name];
    if (value === undefined) return [];
    const values = typeof value === 'object' ? [...value] : [String(value)];
    return values
      .slice(0, 10)
      .map((each): [string, string] => [name, maskedHeader(name, each, mask)]);
  });
}

function maskedHeader(name: string, value: string, mask: Mask): string {
  if (name === 'authorization')
    return value.replace(/^(\w+) (.*)$/, (_, scheme, token) => `${scheme} ${mask(String(token))}`);
  if (name === 'cookie')
    return value
      .split(';')
      .map((pair) => maskedCookie(pair.trim(), mask))
      .join('; ');
  if (name === 'set-cookie') {
    const [pair = '', ...attributes] = value.split(';');
    return [maskedCookie(pair, mask), ...attributes.map((each) => each.trim())].join('; ');
  }
  if (name === 'location')
    return URL.canParse(value, 'http://here') ? maskedLocation(value, mask) : cleaned(value, mask);
  if (name === 'x-request-id') return value.slice(0, 64);
  return cleaned(value, mask);
}

function maskedLocation(value: string, mask: Mask): string {
  const isAbsolute = URL.canParse(value);
  return maskedUrl(new URL(value, 'http://here'), mask, { origin: isAbsolute });
}

/** Masks the id in a session cookie apart from its signature, so that it looks as in the record. */
function maskedCookie(pair: string, mask: Mask): string {
  const [name = '', ...rest] = pair.split('=');
  const value = decoded(rest.join('='));
  const signed = /^s:([^.]+)\.(.+)$/.exec(value);
  const shown = signed ? `s:${mask(signed[1] ?? '')}.${mask(signed[2] ?? '')}` : mask(value);
  return `${cleaned(name, mask)}=${shown}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

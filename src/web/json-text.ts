import { setImmediate } from 'node:timers/promises';

/** Checked by `JSON.parse`, which is exact and, up to here, quick. */
const PARSED_LIMIT = 16 * 1024;
/** Bytes looked at before others get their turn. */
const SLICE = 32 * 1024;

let lastRead: Promise<boolean> = Promise.resolve(true);

/**
 * Whether the bytes are one JSON text (RFC 8259). A long one is read in slices, without building its value:
 * `JSON.parse` of 1 MiB would stop the whole process for up to 80 ms. Long ones are read one after the
 * other: slices of many would all run in the same turn of the event loop.
 */
export async function isJsonText(bytes: Buffer): Promise<boolean> {
  if (bytes.length <= PARSED_LIMIT) return isParseable(bytes);
  lastRead = lastRead.then(() => readInSlices(bytes));
  return await lastRead;
}

async function readInSlices(bytes: Buffer): Promise<boolean> {
  const reader = createReader();
  for (let at = 0; at < bytes.length; at += SLICE) {
    await setImmediate();
    if (!reader.read(bytes.subarray(at, at + SLICE))) return false;
  }
  return reader.end();
}

function isParseable(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

/** The tokens that may come next. */
type Expected = 'value' | 'value or ]' | 'name' | 'name or }' | 'colon' | 'comma or end';

const SCALAR = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/;
const [QUOTE, BACKSLASH, U] = [0x22, 0x5c, 0x75];
const ESCAPED = new Set(Buffer.from('"\\/bfnrt'));
const SPACE = new Set(Buffer.from(' \t\r\n'));
const PUNCTUATION = new Set(Buffer.from('{}[],:'));

function createReader() {
  let expected: Expected = 'value';
  /** The brackets that are open. */
  const open: number[] = [];
  let isString = false;
  /** After a backslash: 1; then of `\u1234` the digits still to come, counted from 5. */
  let escape = 0;
  /** A number or literal that may go on. */
  let scalar = '';

  const isEmpty = (): boolean => open.length === 0;

  function endValue(): boolean {
    expected = 'comma or end';
    return true;
  }

  function startString(): boolean {
    isString = true;
    return expected !== 'colon' && expected !== 'comma or end';
  }

  /** A string that was a name is followed by a colon. */
  function endString(): boolean {
    isString = false;
    if (expected !== 'name' && expected !== 'name or }') return endValue();
    expected = 'colon';
    return true;
  }

  function inString(byte: number): boolean {
    if (escape === 1) {
      escape = byte === U ? 5 : 0;
      return byte === U || ESCAPED.has(byte);
    }
    if (escape > 1) {
      escape = escape === 2 ? 0 : escape - 1;
      return isHexDigit(byte);
    }
    if (byte === QUOTE) return endString();
    escape = 1;
    return byte === BACKSLASH;
  }

  function endScalar(): boolean {
    if (scalar === '') return true;
    const isValue = (expected === 'value' || expected === 'value or ]') && SCALAR.test(scalar);
    scalar = '';
    return isValue && endValue();
  }

  function punctuation(byte: number): boolean {
    switch (String.fromCharCode(byte)) {
      case '{':
      case '[':
        if (expected !== 'value' && expected !== 'value or ]') return false;
        open.push(byte);
        expected = byte === 0x5b ? 'value or ]' : 'name or }';
        return true;
      case ']':
        if (expected !== 'value or ]' && expected !== 'comma or end') return false;
        return open.pop() === 0x5b && endValue();
      case '}':
        if (expected !== 'name or }' && expected !== 'comma or end') return false;
        return open.pop() === 0x7b && endValue();
      case ':':
        if (expected !== 'colon') return false;
        expected = 'value';
        return true;
      default: // a comma
        if (expected !== 'comma or end' || isEmpty()) return false;
        expected = open.at(-1) === 0x5b ? 'value' : 'name';
        return true;
    }
  }

  function betweenTokens(byte: number): boolean {
    if (PUNCTUATION.has(byte)) return endScalar() && punctuation(byte);
    if (SPACE.has(byte)) return endScalar();
    if (byte === QUOTE) return scalar === '' && startString();
    scalar += String.fromCharCode(byte);
    return true;
  }

  return {
    read(bytes: Uint8Array): boolean {
      for (let at = 0; at < bytes.length; at += 1) {
        if (isString && escape === 0) at = endOfPlain(bytes, at);
        const byte = bytes[at];
        if (byte === undefined) break;
        if (!(isString ? inString(byte) : betweenTokens(byte))) return false;
      }
      return true;
    },
    end: (): boolean => !isString && endScalar() && isEmpty() && expected === 'comma or end',
  };
}

/** Within a string: where the run of bytes from `at` on ends that are neither a quote nor a backslash, and allowed. */
function endOfPlain(bytes: Uint8Array, at: number): number {
  let end = at;
  for (; end < bytes.length; end += 1) {
    const byte = bytes[end] as number;
    if (byte < 0x20 || byte === QUOTE || byte === BACKSLASH) break;
  }
  return end;
}

const isHexDigit = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) ||
  (byte >= 0x41 && byte <= 0x46) ||
  (byte >= 0x61 && byte <= 0x66);

/** Just enough of the Redis protocol (RESP2 and RESP3) to cut a stream into its values; nothing is interpreted. */

const LINE_END = '\r\n';

/** Where the value that starts at `from` ends, or `undefined` while it is not all there. */
function endOfValue(bytes: Buffer, from: number): number | undefined {
  const lineEnd = bytes.indexOf(LINE_END, from);
  if (lineEnd < 0) return undefined;
  const size = Number(bytes.toString('latin1', from + 1, lineEnd));
  const next = lineEnd + LINE_END.length;
  switch (String.fromCharCode(bytes[from] ?? 0)) {
    case '$':
    case '=':
    case '!': {
      const end = size < 0 ? next : next + size + LINE_END.length;
      return end <= bytes.length ? end : undefined;
    }
    case '*':
    case '~':
    case '>':
      return endOfValues(bytes, next, size);
    case '%':
      return endOfValues(bytes, next, size * 2);
    default:
      return next;
  }
}

function endOfValues(bytes: Buffer, from: number, count: number): number | undefined {
  let end: number | undefined = from;
  for (let index = 0; index < count && end !== undefined; index++) end = endOfValue(bytes, end);
  return end;
}

/** Takes chunks as they arrive, gives whole values in order. */
export function createCutter(onValue: (value: Buffer) => void): (chunk: Buffer) => void {
  let left = Buffer.alloc(0);
  return (chunk) => {
    left = Buffer.concat([left, chunk]);
    for (let end = endOfValue(left, 0); end !== undefined; end = endOfValue(left, 0)) {
      const value = left.subarray(0, end);
      left = left.subarray(end);
      onValue(value);
      if (left.length === 0) break;
    }
  };
}

/** A command as clients send it: an array of bulk strings. */
export function wordsOf(command: Buffer): string[] {
  const words: string[] = [];
  let at = command.indexOf(LINE_END) + LINE_END.length;
  while (at < command.length) {
    const lineEnd = command.indexOf(LINE_END, at);
    const start = lineEnd + LINE_END.length;
    const end = start + Number(command.toString('latin1', at + 1, lineEnd));
    words.push(command.toString('utf8', start, end));
    at = end + LINE_END.length;
  }
  return words;
}

/** Out of band (RESP3): answers no command. */
export const isPush = (value: Buffer): boolean => value[0] === '>'.charCodeAt(0);

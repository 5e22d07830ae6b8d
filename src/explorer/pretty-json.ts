const MAX_DEPTH = 20;
/** A JSON token: a string, punctuation, a number or a word. */
const TOKEN = /"(?:[^"\\]|\\.)*"?|[{}[\],:]|[^\s"{}[\],:]+/g;

/**
 * JSON with line breaks, up to `maxLength` characters. Values stay as they were written: a number
 * too large for JavaScript keeps its digits, a name that comes twice is shown twice.
 */
export function prettyJson(
  json: string,
  maxLength: number,
): { readonly text: string; readonly isWhole: boolean } {
  let text = '';
  let depth = 0;
  let before = '';
  const newLine = (): string => `\n${'  '.repeat(Math.min(depth, MAX_DEPTH))}`;
  for (const [token] of json.matchAll(TOKEN)) {
    const isClosing = token === '}' || token === ']';
    // what is cut off, or no JSON, may close too much
    if (isClosing) depth = Math.max(0, depth - 1);
    const isEmpty = isClosing && (before === '{' || before === '[');
    const startsLine = (isClosing && text !== '') || ['{', '[', ','].includes(before);
    text += (startsLine && !isEmpty ? newLine() : '') + token + (token === ':' ? ' ' : '');
    if (token === '{' || token === '[') depth += 1;
    before = token;
    if (text.length > maxLength) return { text: text.slice(0, maxLength), isWhole: false };
  }
  return { text, isWhole: true };
}

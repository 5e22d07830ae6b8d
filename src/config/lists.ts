/**
 * The entries of a list, separated by commas, without the spaces around them. `\,` is a comma
 * inside an entry. Backslashes stand for themselves, except before a comma: there `\\` is one
 * backslash.
 */
export function splitList(text: string): string[] {
  const entries: string[] = [];
  let entry = '';
  for (const [part, backslashes] of text.matchAll(/(\\*),|[^,\\]+|\\+/g)) {
    if (backslashes === undefined) {
      entry += part;
      continue;
    }
    entry += '\\'.repeat(Math.floor(backslashes.length / 2));
    if (backslashes.length % 2 === 1) {
      entry += ',';
    } else {
      entries.push(entry);
      entry = '';
    }
  }
  return [...entries, entry].map((item) => item.trim()).filter(Boolean);
}

/**
 * Prose for a terminal of `columns`: lines break at spaces and go on below the text of their first
 * line. A longer word, such as an address, stays whole. Without a terminal nothing is broken.
 */
export function wrap(text: string, columns: number | undefined): string {
  if (columns === undefined || columns < MIN_COLUMNS) return text;
  const fit = (line: string): string[] => (line.length > columns ? broken(line, columns) : [line]);
  return text.split('\n').flatMap(fit).join('\n');
}

const MIN_COLUMNS = 40;
/** What comes before the text of a line: spaces, a bullet, the verdict or the name of a part. */
const LEAD = /^\s*(?:- |cause: |fix: +|(?:pass|warn|fail) +\S[^]{0,21} {2,})?/;

function broken(line: string, columns: number): string[] {
  const lead = LEAD.exec(line)?.[0] ?? '';
  const indent = ' '.repeat(Math.min(lead.length, columns / 2));
  const lines: string[] = [];
  let current = lead;
  let isEmpty = true;
  for (const word of line.slice(lead.length).split(' ')) {
    if (!isEmpty && current.length + 1 + word.length > columns) {
      lines.push(current);
      current = indent;
      isEmpty = true;
    }
    current += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, current];
}

/** The width of a stream that is a terminal; a terminal that does not know its size says 0. */
export const columnsOf = ({ isTTY, columns }: NodeJS.WriteStream): number | undefined =>
  isTTY && columns > 0 ? columns : undefined;

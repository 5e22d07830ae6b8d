import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MAX_LINES = 40;

export interface SourceCode {
  readonly file: string;
  readonly symbol: string;
  /** Empty where the source is not at hand. */
  readonly lines: string;
}

/**
 * A function as it stands in the source, found by its name, so that no line number can be wrong.
 * Where only the built files are there, these are shown.
 */
export function sourceOf({ file, symbol }: { file: string; symbol: string }): SourceCode {
  for (const path of [`../../src/${file}`, `../${file.replace(/\.ts$/, '.js')}`]) {
    const url = fileURLToPath(new URL(path, import.meta.url));
    if (!existsSync(url)) continue;
    const lines = functionIn(readFileSync(url, 'utf8').split('\n'), symbol);
    if (lines.length > 0) return { file, symbol, lines: lines.join('\n') };
  }
  return { file, symbol, lines: '' };
}

/**
 * The last function of that name (one before may be its type), up to the line that closes it, which
 * has the same indentation as its first line.
 */
function functionIn(lines: readonly string[], symbol: string): readonly string[] {
  const starts = [
    new RegExp(`^\\s*(export )?(async )?function ${symbol}\\b`),
    new RegExp(`^\\s*return (async )?function ${symbol}\\b`),
    new RegExp(`^\\s*(export )?const ${symbol} =`),
    new RegExp(`^\\s+(async )?${symbol}(:|\\()`),
  ];
  const start = starts
    .map((pattern) => lines.findLastIndex((line) => pattern.test(line)))
    .find((at) => at >= 0);
  if (start === undefined) return [];
  const indent = /^\s*/.exec(lines[start] ?? '')?.[0] ?? '';
  const length = lines.slice(start).findIndex((line, at) => isLast(line, at, indent)) + 1;
  const body = lines.slice(start, start + (length === 0 ? MAX_LINES : Math.min(length, MAX_LINES)));
  return body.map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
}

function isLast(line: string, at: number, indent: string): boolean {
  if (!line.startsWith(indent)) return false;
  const rest = line.slice(indent.length);
  if (at === 0) return /[;,]\s*$/.test(rest);
  return /^[})]/.test(rest) && !/[{(]\s*$/.test(rest);
}

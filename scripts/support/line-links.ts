import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const LINK = /\[`([^`]+)`\]\(([^)\s#]+)#L(\d+)\)/g;
const ANY_LINE = /\[[^\]]*\]\([^)\s#]+#L\d+\)/g;

/** In [`symbol`](../src/file.ts#L40) line 40 must have that symbol. With `fix` the number is set to where it is now. */
export function lineLinkFaults(file: string, { fix }: { fix: boolean }): string[] {
  const faults: string[] = [];
  const text = readFileSync(file, 'utf8');
  const mended = text.replaceAll(LINK, (link, symbol: string, path: string, line: string) => {
    const target = join(dirname(file), path);
    if (!existsSync(target)) return link; // a fault of links in general
    const lines = readFileSync(target, 'utf8').split('\n');
    if (lines[Number(line) - 1]?.includes(symbol)) return link;
    const now = placeOf(symbol, lines, Number(line));
    if (now !== undefined && fix) return link.replace(`#L${line}`, `#L${now}`);
    const cure =
      now === undefined
        ? 'nor is it anywhere in that file: name what took its place'
        : `but perhaps on line ${now}: npx tsx scripts/check-docs.ts --fix`;
    faults.push(`${file}: ${symbol} is not on line ${line} of ${path}, ${cure}`);
    return link;
  });
  if (mended !== text) writeFileSync(file, mended);
  for (const link of text.match(ANY_LINE) ?? []) {
    if (link.replace(LINK, '') !== '')
      faults.push(`${file}: ${link} needs a \`symbol\` as its text, so that it can be checked`);
  }
  return faults;
}

/** The nearest line that declares it, else the nearest that has it; from 1. */
function placeOf(symbol: string, lines: readonly string[], line: number): number | undefined {
  const found = lines.flatMap((text, index) => (text.includes(symbol) ? [{ text, number: index + 1 }] : []));
  const declared = found.filter(({ text }) => /\b(function|const|interface|type|class)\b/.test(text));
  const [nearest] = (declared.length > 0 ? declared : found).sort(
    (a, b) => Math.abs(a.number - line) - Math.abs(b.number - line),
  );
  return nearest?.number;
}

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A link to a file, then text without another link, then code. */
const PASSAGE = /^```ts\n([\s\S]*?)^```/gm;
const LINK = /\]\(([^)\s#]+\.ts)\)/g;

const linesOf = (text: string): string => text.trim().replaceAll(/^[ \t]+/gm, '');

/**
 * A block of TypeScript must stand, line by line but for its indentation, in the file that is
 * linked last before it.
 */
export function passageFaults(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(PASSAGE)].flatMap(({ 1: code = '', index }) => {
    const [first = ''] = code.trim().split('\n');
    const link = [...text.slice(0, index).matchAll(LINK)].at(-1)?.[1];
    if (link === undefined) return [`${file}: no link to a file before "${first}"`];
    const source = join(dirname(file), link);
    const there =
      existsSync(source) &&
      `\n${linesOf(readFileSync(source, 'utf8'))}\n`.includes(`\n${linesOf(code)}\n`);
    return there
      ? []
      : [`${file}: the passage "${first}" is not in ${source} any more; copy it anew`];
  });
}

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const CODE = String.raw`\.(?:ts|js|cjs|ejs|json|yml|diff|css)`;
const LINK_TO_CODE = new RegExp(String.raw`\[\x60([^\x60]+)\x60\]\(([^)\s#]+${CODE})\)`, 'g');
const FILE_NAME = new RegExp(`${CODE}$`);
const LINK_TO_LINE = /\[[^\]]*\]\([^)\s#]+#L\d+\)/g;

/**
 * In [`symbol`](../src/file.ts) the file must have that symbol, and in
 * [`folder/file.ts`](../src/folder/file.ts) it must have that name and folder. Links to lines are
 * faults: the next change moves them.
 */
export function symbolLinkFaults(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const faults: string[] = [];
  for (const [link] of text.matchAll(LINK_TO_LINE)) {
    faults.push(`${file}: ${link} names a line; link to the file, with a \`symbol\` as text`);
  }
  for (const [, symbol = '', path = ''] of text.matchAll(LINK_TO_CODE)) {
    const target = join(dirname(file), path);
    if (!existsSync(target)) continue; // a fault of links in general
    const isThere = FILE_NAME.test(symbol)
      ? `/${path}`.endsWith(`/${symbol}`)
      : has(readFileSync(target, 'utf8'), symbol);
    if (!isThere) faults.push(`${file}: ${symbol} is not in ${path}; name what took its place`);
  }
  return faults;
}

function has(code: string, symbol: string): boolean {
  return /^\w+$/.test(symbol) ? new RegExp(`\\b${symbol}\\b`).test(code) : code.includes(symbol);
}

// `npm run trim -- flow-inspector webhooks explorer tour`: takes optional rooms out of this copy of
// the repository.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { rooms, type Room } from './support/rooms.js';
import { withoutUses } from './support/without-uses.js';

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !Object.hasOwn(rooms, name));
if (chosen.length === 0 || unknown.length > 0) {
  for (const name of unknown) console.error(`there is no room ${name}`);
  console.error(`npm run trim -- <room> ...; the rooms are ${Object.keys(rooms).join(', ')}`);
  process.exit(2);
}

const TABLE = 'scripts/support/rooms.ts';
const gone: string[] = [];
const isGone = (path: string): boolean =>
  gone.some((each) => path === each || path.startsWith(`${each}/`));

for (const room of chosen) trim(room, rooms[room] as Room);
const next = 'npx knip --fix --allow-remove-files && npm run format && npm run docs && npm test';
console.log(`gone: ${chosen.join(', ')}. Now:\n${next}`);

function trim(name: string, { files, paths, demoSettings }: Room): void {
  for (const path of files.flatMap(matching)) {
    rmSync(path, { recursive: true });
    gone.push(path);
  }
  for (const file of ['src', 'scripts', 'test'].flatMap(filesBelow)) {
    if (file.endsWith('.ts') && file !== TABLE)
      rewrite(file, (text) => withoutUses(file, text, isGone));
  }
  const isRow = (line: string): boolean =>
    paths.some((path) =>
      new RegExp(String.raw`^\s*\{ path: '${path}[/']|^\| \`[A-Z]+ ${path}\b`).test(line),
    );
  for (const file of ['src/web/pages/pages.ts', 'docs/routes.md']) removeLines(file, isRow);
  removeLines('scripts/demo.ts', (line) =>
    demoSettings.some((one) => line.startsWith(`  ${one}:`)),
  );
  removeLines('.dependency-cruiser.cjs', (line) => line.startsWith(`    only('${name}',`));
  rewrite('.dependency-cruiser.cjs', (text) => text.replaceAll(`, '${name}'`, ''));
  const isInvitation = (line: string): boolean =>
    paths.some((path) => line.includes(`<http://localhost:3000${path}>`)) ||
    files.some((path) => line.startsWith('![') && line.endsWith(`](${path})`));
  for (const file of ['.', 'docs'].flatMap(markdownIn)) {
    removeLines(file, isInvitation);
    rewrite(file, (text) => unlinked(file, text));
  }
}

function matching(pattern: string): string[] {
  if (!pattern.includes('*')) return existsSync(pattern) ? [pattern] : [];
  const folder = dirname(pattern);
  const [before = '', after = ''] = basename(pattern).split('*');
  return readdirSync(folder)
    .filter((name) => name.startsWith(before) && name.endsWith(after))
    .map((name) => join(folder, name));
}

function filesBelow(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.map((name) => join(folder, name));
}

function markdownIn(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.md'));
  return names.map((name) => normalize(join(folder, name)));
}

/** A row of a table whose proof is gone goes; any other link to what is gone becomes plain text. */
function unlinked(file: string, text: string): string {
  const link = /\[([^\]]+)\]\(([^)#\s]+)(?:#[^)]*)?\)/g;
  const isDead = (target: string): boolean => isGone(normalize(join(dirname(file), target)));
  const lines = text.split('\n').filter((line) => {
    const proof = line.startsWith('|') ? (line.split(' | ').at(-1) ?? '') : '';
    const targets = [...proof.matchAll(link)].map(([, , target = '']) => target);
    const tests = targets.filter((target) => target.includes('/test/'));
    return tests.length === 0 || !tests.every(isDead);
  });
  return lines
    .join('\n')
    .replaceAll(link, (whole, label: string, target: string) => (isDead(target) ? label : whole));
}

function removeLines(file: string, isGoneLine: (line: string) => boolean): void {
  rewrite(file, (text) =>
    text
      .split('\n')
      .filter((line) => !isGoneLine(line))
      .join('\n'),
  );
}

function rewrite(file: string, change: (text: string) => string): void {
  const text = readFileSync(file, 'utf8');
  const changed = change(text);
  if (changed !== text) writeFileSync(file, changed);
}

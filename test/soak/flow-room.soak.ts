import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

jest.setTimeout(180_000);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gb-room-'));
  const kept = [
    'src',
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
    '.dependency-cruiser.cjs',
    'sandbox',
  ];
  for (const name of kept) cpSync(name, join(folder, name), { recursive: true });
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Takes the lines out that match; how many there were. */
function removeLines(file: string, pattern: RegExp): number {
  const path = join(folder, file);
  const lines = readFileSync(path, 'utf8').split('\n');
  const kept = lines.filter((line) => !pattern.test(line));
  writeFileSync(path, kept.join('\n'));
  return lines.length - kept.length;
}

const rooms = [
  ['the flow inspector', 'flow-inspector', /\bmountFlowInspector\b|\bflowInspector\.addPages\b/],
  ['the tour', 'tour', /\bmountTour\b|\btour\.addPages\b/],
] as const;

it.each(rooms)(
  '%s is a room: without its folder and its lines in app.ts the rest builds',
  (_title, room, lines) => {
    rmSync(join(folder, 'src', room), { recursive: true });
    expect(removeLines('src/app.ts', lines)).toBe(3); // the import, and the two places
    const run = (command: string, args: string[]) =>
      spawnSync(join(folder, 'node_modules/.bin', command), args, {
        cwd: folder,
        encoding: 'utf8',
      });
    const types = run('tsc', ['-p', 'tsconfig.build.json', '--noEmit']);
    expect([types.status, types.stdout]).toEqual([0, '']);
    const layers = run('depcruise', ['--config', '.dependency-cruiser.cjs', 'src']);
    expect([layers.status, layers.stdout]).toEqual([
      0,
      expect.stringContaining('no dependency violations found'),
    ]);
  },
);

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What somebody reads who takes the core. It may only become less: lower these numbers when it does. */
const MOST = { files: 31, lines: 2_397, linesOfOneFile: 150 };

it(`the core is at most ${MOST.files} files and ${MOST.lines} lines, none longer than ${MOST.linesOfOneFile}`, () => {
  const files = readdirSync('src/core', { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const lines = files.map(
    (name) => readFileSync(join('src/core', name), 'utf8').trimEnd().split('\n').length,
  );
  expect(files.length).toBeLessThanOrEqual(MOST.files);
  expect(lines.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(MOST.lines);
  expect(files.filter((_, index) => (lines[index] ?? 0) > MOST.linesOfOneFile)).toEqual([]);
});

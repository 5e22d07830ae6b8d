import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { copyTree, type CopiedTree } from './copied-tree.js';

export type PatchedTree = CopiedTree;

/**
 * The project as somebody has it after `git apply examples/...`.
 * @throws {Error} the diff does not apply (any more), or leaves a file that `npm test` finds badly formatted.
 */
export function patchedTree(diff: string): PatchedTree {
  const tree = copyTree([
    'src',
    'views',
    'public',
    'examples',
    'sandbox',
    'scripts',
    'test/support',
    'package.json',
  ]);
  const { status, stderr } = spawnSync('git', ['apply', resolve(diff)], {
    cwd: tree.folder,
    encoding: 'utf8',
  });
  if (status !== 0)
    throw new Error(
      `${diff} does not apply; make the change by hand and write the diff anew: ${stderr}`,
    );
  const changed = [...readFileSync(diff, 'utf8').matchAll(/^\+\+\+ b\/(.+\.ts)$/gm)];
  const files = changed.map(([, file = '']) => join(tree.folder, file));
  const args = ['--config', resolve('.oxfmtrc.json'), '--list-different', ...files];
  const formatted = spawnSync(resolve('node_modules/.bin/oxfmt'), args, { encoding: 'utf8' });
  if (formatted.status !== 0)
    throw new Error(`${diff} leaves files that are not formatted: ${formatted.stdout}`);
  return tree;
}

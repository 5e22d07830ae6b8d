import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { copyTree, type CopiedTree } from './copied-tree.js';

export type PatchedTree = CopiedTree;

/** The project as somebody has it after `git apply examples/...`. @throws {Error} the diff does not apply (any more). */
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
  return tree;
}
